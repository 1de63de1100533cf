// What makes one pymalloc differ from another: its rules, as plain values.
//
// A generation of CPython is a struct with sizes (geometry.h) and rules
// (generation.h). An experiment is a new struct with other values, or a new
// rule: arena_order.h, pool_order.h and lane.h each hold one kind, a struct a
// rule. Nothing is configured by the preprocessor. The same values, read at run
// time, drive RuntimeGeneration.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/arena_order.h"
#include "allocators/pymalloc/lane.h"
#include "allocators/pymalloc/pool_order.h"

namespace arenalab {

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

  // The rules below have one value that is CPython's; others are experiments.
  ArenaChoice arena_choice = ArenaChoice::kFullest;
  PoolChoice pool_choice = PoolChoice::kRecent;
  FreeList free_list = FreeList::kLifo;
  // The pages of an empty pool, all but that of its header, are given back to
  // the arena source (ArenaSource::discard); its free list is lost with them.
  bool discard_free_pools = false;
  // Of the keep_arenas that are kept, each is released once so many bytes have
  // been asked for from pools since it became free; 0: never. Looked at when a
  // pool is taken or becomes empty.
  std::uint64_t decay_bytes = 0;
  LaneChoice lanes = LaneChoice::kNone;

  friend constexpr bool operator==(const PolicyValues&,
                                   const PolicyValues&) = default;
};

}  // namespace arenalab
