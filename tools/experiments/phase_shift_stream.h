// The phase-shift program without a Python: phases of blocks of one size each,
// of which 4 %, drawn at random, stay for ever. Between the phases it may idle.
//
//   start-up  blocks that stay throughout
//   phase k   count blocks are made, then all but 4 % of them freed in the
//             order in which they were made
//   valley k  the clock goes on by idle_ms; then some small blocks come and
//             go, as in an interpreter that wakes up. Its last step is a
//             valley of the curve (moments.h)
//
// Threads: one.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

struct Phase {
  std::uint32_t block_bytes;
  std::uint64_t bytes;  // of all its blocks
};

struct PhaseShift {
  std::uint32_t startup_block_bytes;
  std::uint64_t startup_bytes;
  std::vector<Phase> phases;
};

// Ends with the mark `finalise`. Every size divided by `divisor`.
CompiledTrace PhaseShiftTrace(const PhaseShift& shape, std::uint32_t idle_ms,
                              std::uint32_t divisor = 1);

// Large random blocks that replace each other: what touching them costs decides
// who is fast. `live` slots of 16 to 1,024 bytes, `rounds` replacements.
CompiledTrace ReplacementTrace(std::uint32_t live, std::uint32_t rounds);

}  // namespace arenalab
