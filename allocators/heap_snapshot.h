// What a heap tells of its own state, in bytes, at one moment.
//
// Plain numbers only, so that a replay worker, which must not allocate, can
// take one. kUnknown is "this library does not tell", never zero. The heap's
// inside (arenas, pools, blocks) is walked through pymalloc's own interface.
#pragma once

#include <cstdint>

namespace arenalab {

inline constexpr std::int64_t kUnknown = -1;

struct HeapSnapshot {
  // Mapped for the heap: arenas, large mappings, metadata. H in measuring
  // terms.
  std::int64_t held_bytes = kUnknown;
  // Of those, what the library believes to be resident.
  std::int64_t committed_bytes = kUnknown;
  // Blocks out, after rounding to the class. U in measuring terms.
  std::int64_t live_block_bytes = kUnknown;
  std::int64_t metadata_bytes = kUnknown;
  std::int64_t arenas_live = kUnknown;
  std::int64_t arenas_created = kUnknown;
  std::int64_t arenas_released = kUnknown;
};

}  // namespace arenalab
