// Where every byte that pymalloc holds goes, at one moment:
//
//   held = requested + rounding + pool headers + pool tails + free blocks
//          + free pools + arena rest + metadata
//
//   requested     what live blocks were asked for
//   rounding      up to their class's block size
//   pool headers  48 bytes in each pool with a live block
//   pool tails    less than a block, behind the last block of such a pool
//   free blocks   in such pools
//   free pools    without a live block, carved or not, in arenas that are held
//   arena rest    lost where an arena's base is no multiple of the pool size
//   metadata      arena records and the radix tree
//
// The model computes requested, rounding and the live blocks from the events
// and the rest by walking the heap, and CheckWaterfall() holds them against
// what the arena source has handed out: the residue is 0 at every sample.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arenalab {

inline constexpr std::array<std::string_view, 8> kWaterfallParts = {
    "requested",   "rounding",   "pool_headers", "pool_tails",
    "free_blocks", "free_pools", "arena_rest",   "metadata"};

struct Waterfall {
  // In the order of kWaterfallParts.
  std::array<std::uint64_t, kWaterfallParts.size()> bytes{};

  std::uint64_t held_bytes() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t part : bytes) sum += part;
    return sum;
  }
};

}  // namespace arenalab
