// What makes one pymalloc differ from another: sizes and rules, as plain
// values.
//
// A generation of CPython is a struct with one value of each kind
// (generation.h). An experiment is a new struct with other values; nothing is
// configured by the preprocessor. The same values, read at run time, drive
// RuntimeGeneration.
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

// Where a pool goes when its last block is freed.
enum class EmptyPools : std::uint8_t {
  kOneList,   // one list for all arenas; arenas are never released (2.3, 2.4)
  kPerArena,  // its arena's list; an arena can become wholly free (2.5+)
};

// How Free() and Reallocate() tell the heap's own blocks from others.
enum class AddressTest : std::uint8_t {
  kPoolIndex,  // the arena index in the pool's header, checked (2.3 - 3.9)
  kRadixTree,  // a tree keyed by address (3.10+); works for any pool size
};

// How the usable list is searched when an arena's count of free pools grows.
// The order that results is the same; only the time differs.
enum class ArenaSort : std::uint8_t {
  kWalk,     // past every arena with fewer free pools (2.5 - 3.7)
  kFingers,  // to the last arena with as many, which is remembered (3.8+)
};

// The rules below have one value that is CPython's, the first; the others are
// experiments.

// Which arena gives the next pool: the order of the usable list.
enum class ArenaChoice : std::uint8_t {
  kFullest,   // fewest free pools
  kAddress,   // lowest base
  kRecent,    // the one that became usable last
  kEmptiest,  // most free pools
};

// Which pool of a class gives the next block: the order of its used list.
enum class PoolChoice : std::uint8_t {
  kRecent,   // the one that was full last
  kAddress,  // the lowest
  kFullest,  // most live blocks
};

// Which block of a pool is given next.
enum class FreeList : std::uint8_t {
  kLifo,     // the one that was freed last
  kAddress,  // the lowest
};

struct PolicyValues {
  EmptyPools empty_pools = EmptyPools::kPerArena;
  // Wholly free arenas kept: 0, or 1 since 3.9. With ArenaChoice::kFullest, as
  // in CPython, one is released if this many arenas or more follow it in the
  // usable list; otherwise, if this many usable arenas are wholly free.
  std::size_t keep_arenas = 0;
  ArenaSort arena_sort = ArenaSort::kWalk;
  AddressTest address_test = AddressTest::kPoolIndex;
  // kRadixTree: address bits that the tree tells apart (48 in 3.10, then 64).
  int address_bits = 64;
  // Reallocate() moves a small enough foreign block into a pool (2.3 - 2.4.1).
  bool realloc_takes_over = false;

  ArenaChoice arena_choice = ArenaChoice::kFullest;
  PoolChoice pool_choice = PoolChoice::kRecent;
  FreeList free_list = FreeList::kLifo;
  // The pages of an empty pool, all but that of its header, are given back to
  // the arena source (ArenaSource::discard); its free list is lost with them.
  bool discard_free_pools = false;

  friend constexpr bool operator==(const PolicyValues&,
                                   const PolicyValues&) = default;
};

constexpr std::size_t PoolsPerArena(const GeometryValues& geometry) {
  return geometry.arena_bytes / geometry.pool_bytes;
}

// What discard_free_pools keeps of a pool, its header's page, and the step in
// which it can: the page of x86-64. Pools must be larger.
inline constexpr std::size_t kDiscardedPageBytes = 4096;

// The value that a freshly carved pool has for a class: equal to none.
inline constexpr std::uint32_t kNoClass = 0xffff;

}  // namespace arenalab
