// The limit for a heap that cannot move blocks but knows the future: at its
// birth each object's death is known, and objects that will die together are
// put together.
//
//   group by   lifetime   floor(log2(clock from birth to death)); what never
//                         dies is a group of its own
//              death      the 1/255th of the clock in which it dies
//              size       16-byte steps to 512 bytes, powers of two above:
//                         needs no foresight, and is here for comparison
//
// Each group is a PackedRange of 16-byte granules, lowest address first. At a
// sample the heap holds
//
//   extent     sum over groups of the bytes up to the last block
//   pages      the 4 KiB pages in which a block lies, x 4096: what it costs
//              where free pages are given back at once
//
// Nothing holds less than the load, so that is its own lower bound. All
// requests in scope are packed. A block that is reallocated to another number
// of granules is a new object, made before the old one is given up. The clock
// is allocated bytes.
//
// MEMORY. Two bytes for each allocation, 16 for each live object, and 8 a
// granule of the extent. TIME. O(n log n). Threads: one.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

inline constexpr std::uint32_t kGranuleBytes = 16;
inline constexpr std::uint32_t kOraclePageBytes = 4096;

// One element a sample.
struct OracleCurve {
  std::vector<std::uint64_t> extent_bytes;
  std::vector<std::uint64_t> page_bytes;
};

struct Oracle {
  OracleCurve by_lifetime;
  OracleCurve by_death;
  OracleCurve by_size;
};

// Sample i is taken when sample_steps[i] steps are done; they ascend.
Oracle PackWithForesight(const CompiledTrace& trace,
                         const std::vector<std::uint64_t>& sample_steps);

}  // namespace arenalab
