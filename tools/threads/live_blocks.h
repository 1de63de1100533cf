// The blocks that are live at a moment: which of them lie on one cache line
// although different threads were handed them, and whether any two overlap.
//
//   line     64 bytes. Only a block's first and last line can hold another's
//            bytes; those between are its own.
//   shared   a line on which blocks of two streams or more begin or end
//
// Linked into workers: no C++ runtime. One thread; all others stand still.
#pragma once

#include <cstdint>

namespace arenalab {

inline constexpr std::uint64_t kLineBytes = 64;

struct LiveBlock {
  std::uint64_t begin;
  std::uint64_t bytes;  // at least 1
  std::uint64_t stream;
};

struct LiveLines {
  std::uint64_t lines = 0;
  std::uint64_t shared_lines = 0;
  std::uint64_t overlaps = 0;  // neighbours by address that share a byte
};

// Sorts `blocks`.
LiveLines CountLines(LiveBlock* blocks, std::uint64_t count);

}  // namespace arenalab
