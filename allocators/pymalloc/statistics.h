// What `sys._debugmallocstats()` prints, as numbers. Heap::ComputeStatistics()
// fills it by walking the arenas; nothing is counted while the heap runs but
// arenas. Bytes unless the name says otherwise.
//
//   arenas_live * arena_bytes == allocated + available + unused_pools *
//       pool_bytes + pool_header + quantization + alignment        (asserted)
//
// Names are CPython's: `available` is free blocks in pools that have a live
// one, `unused` pools have none, `quantization` is pool tails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace arenalab {

inline constexpr std::size_t kMaxClasses = 128;

struct ClassStatistics {
  std::uint64_t pools = 0;  // with at least one live block
  std::uint64_t used_blocks = 0;
  std::uint64_t available_blocks = 0;
};

struct Statistics {
  std::array<ClassStatistics, kMaxClasses> classes{};
  std::uint64_t arenas_created = 0;
  std::uint64_t arenas_released = 0;
  std::uint64_t arenas_high_water = 0;
  std::uint64_t arenas_live = 0;
  std::uint64_t allocated_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t unused_pools = 0;
  std::uint64_t pool_header_bytes = 0;
  std::uint64_t quantization_bytes = 0;
  std::uint64_t alignment_bytes = 0;
  // The radix tree; zero in generations without one.
  std::uint64_t map_root_bytes = 0;
  std::uint64_t map_mid_nodes = 0;
  std::uint64_t map_mid_bytes = 0;
  std::uint64_t map_bottom_nodes = 0;
  std::uint64_t map_bottom_bytes = 0;
  // The array of arena records (not in CPython's dump).
  std::uint64_t arena_record_bytes = 0;
  // Blocks that the raw source serves for this heap: with the live pool blocks
  // this is sys.getallocatedblocks().
  std::uint64_t raw_blocks = 0;

  std::uint64_t metadata_bytes() const {
    return map_root_bytes + map_mid_bytes + map_bottom_bytes +
           arena_record_bytes;
  }
};

}  // namespace arenalab
