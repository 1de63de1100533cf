// Size classes: which block serves a request of n bytes.
//
//   class of n   (n - 1) / alignment          1 <= n <= max_small_bytes
//   block size   (class + 1) * alignment
//   capacity     (pool_bytes - header_bytes) / block size, rounded down
//
// Worked example, 16-byte steps, 4 KiB pools: n = 40 -> class 2 -> 48 bytes,
// 84 blocks a pool, 16 bytes of tail that no block uses.
//
// Everything is constexpr over GeometryValues, so that compile-time heaps fold
// it and readers of a result can call it on values from a file.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/geometry.h"

namespace arenalab {

constexpr bool IsSmall(const GeometryValues& geometry, std::size_t bytes) {
  // Zero wraps round: it is never a small request.
  return bytes - 1 < geometry.max_small_bytes;
}

// REQUIRES: IsSmall(geometry, bytes).
constexpr std::uint32_t ClassOf(const GeometryValues& geometry,
                                std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes - 1) / geometry.alignment);
}

constexpr std::size_t BlockSize(const GeometryValues& geometry,
                                std::size_t size_class) {
  return (size_class + 1) * geometry.alignment;
}

constexpr std::size_t BlocksPerPool(const GeometryValues& geometry,
                                    std::size_t size_class) {
  return (geometry.pool_bytes - geometry.header_bytes) /
         BlockSize(geometry, size_class);
}

// Bytes behind the last block of a pool ("quantization" in CPython's dump).
constexpr std::size_t PoolTailBytes(const GeometryValues& geometry,
                                    std::size_t size_class) {
  return (geometry.pool_bytes - geometry.header_bytes) %
         BlockSize(geometry, size_class);
}

// The same for a generation: BlockSize<Classic>(c).
template <class G>
constexpr std::size_t BlockSize(std::size_t size_class) {
  return BlockSize(G::kGeometry, size_class);
}
template <class G>
constexpr std::size_t BlocksPerPool(std::size_t size_class) {
  return BlocksPerPool(G::kGeometry, size_class);
}

}  // namespace arenalab
