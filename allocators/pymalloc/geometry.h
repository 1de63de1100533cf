// What makes one pymalloc differ from another: its sizes, as plain values. Its
// rules are in policy.h.
//
// Sizes are in bytes. SOURCE of the numbers: the constants of
// Objects/obmalloc.c in each release (ALIGNMENT, SMALL_REQUEST_THRESHOLD,
// ARENA_SIZE, POOL_SIZE).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace arenalab {

// The bytes of `struct pool_header` in every 64-bit release since 2.3.
inline constexpr std::size_t kPoolHeaderBytes = 48;

struct GeometryValues {
  std::size_t arena_bytes;      // a power of two
  std::size_t pool_bytes;       // a power of two, <= arena_bytes
  std::size_t alignment;        // of blocks, and the step between classes
  std::size_t max_small_bytes;  // larger requests go to the raw source
  std::size_t header_bytes;     // where the first block of a pool begins
  std::size_t classes;

  friend constexpr bool operator==(const GeometryValues&,
                                   const GeometryValues&) = default;
};

constexpr GeometryValues MakeGeometry(std::size_t arena_bytes,
                                      std::size_t pool_bytes,
                                      std::size_t alignment,
                                      std::size_t max_small_bytes) {
  return {arena_bytes,
          pool_bytes,
          alignment,
          max_small_bytes,
          (kPoolHeaderBytes + alignment - 1) / alignment * alignment,
          max_small_bytes / alignment};
}

constexpr std::size_t PoolsPerArena(const GeometryValues& geometry) {
  return geometry.arena_bytes / geometry.pool_bytes;
}

// What discard_free_pools keeps of a pool, its header's page, and the step in
// which it can: the page of x86-64. Pools must be larger.
inline constexpr std::size_t kDiscardedPageBytes = 4096;

// The value that a freshly carved pool has for a class: equal to none.
inline constexpr std::uint16_t kNoClass = 0xffff;

}  // namespace arenalab
