// Heap's members that look at all of it: views of arenas, statistics, snapshot.
// Part of heap_members.h, which includes it; they read and allocate nothing.
#pragma once

#include <cstdint>

#include "allocators/pymalloc/heap.h"

namespace arenalab {

template <class G>
ArenaView Heap<G>::ViewOf(std::uint32_t index) const {
  const ArenaRecord& arena = records_[index];
  ArenaView view{};
  view.base = arena.base;
  view.first_pool = FirstPool(geometry(), arena.base);
  view.index = index;
  view.total_pools = arena.total_pools;
  view.carved_pools = static_cast<std::uint32_t>(
      (arena.next_virgin_pool - view.first_pool) / geometry().pool_bytes);
  view.free_pools = arena.free_pools;
  if (policy().empty_pools == EmptyPools::kOneList)
    // No one counts them per arena there.
    VisitPools(view, [&view](const PoolHeader& pool) {
      if (pool.live_blocks == 0) ++view.free_pools;
    });
  return view;
}

template <class G>
Statistics Heap<G>::ComputeStatistics() const noexcept {
  Statistics s;
  s.arenas_created = arenas_created_;
  s.arenas_released = arenas_created_ - arenas_live_;
  s.arenas_high_water = arenas_high_water_;
  s.arenas_live = arenas_live_;
  s.raw_blocks = raw_blocks_;
  VisitArenas([&](const ArenaView& arena) {
    s.unused_pools += arena.free_pools;
    if (arena.first_pool != arena.base)
      s.alignment_bytes += geometry().pool_bytes;
    VisitPools(arena, [&](const PoolHeader& pool) {
      if (pool.live_blocks == 0) return;  // it is among the free pools
      ClassStatistics& c = s.classes[pool.size_class];
      ++c.pools;
      c.used_blocks += pool.live_blocks;
      c.available_blocks +=
          BlocksPerPool(geometry(), pool.size_class) - pool.live_blocks;
    });
  });
  for (std::size_t i = 0; i < geometry().classes; ++i) {
    const ClassStatistics& c = s.classes[i];
    s.allocated_bytes += c.used_blocks * BlockSize(geometry(), i);
    s.available_bytes += c.available_blocks * BlockSize(geometry(), i);
    s.pool_header_bytes += c.pools * geometry().header_bytes;
    s.quantization_bytes += c.pools * PoolTailBytes(geometry(), i);
  }
  if (policy().address_test == AddressTest::kRadixTree) {
    const RadixShape shape = radix_shape();
    s.map_root_bytes = shape.root_bytes();
    s.map_mid_nodes = map_.mid_nodes();
    s.map_mid_bytes = s.map_mid_nodes * shape.mid_bytes();
    s.map_bottom_nodes = map_.bottom_nodes();
    s.map_bottom_bytes = s.map_bottom_nodes * shape.bottom_bytes();
  }
  s.arena_record_bytes = records_.size() * sizeof(ArenaRecord);
  return s;
}

template <class G>
HeapSnapshot Heap<G>::Snapshot() const noexcept {
  const Statistics s = ComputeStatistics();
  HeapSnapshot snapshot;
  snapshot.metadata_bytes = static_cast<std::int64_t>(s.metadata_bytes());
  snapshot.held_bytes =
      static_cast<std::int64_t>(s.arenas_live * geometry().arena_bytes) +
      snapshot.metadata_bytes;
  snapshot.live_block_bytes = static_cast<std::int64_t>(s.allocated_bytes);
  snapshot.arenas_live = static_cast<std::int64_t>(s.arenas_live);
  snapshot.arenas_created = static_cast<std::int64_t>(s.arenas_created);
  snapshot.arenas_released = static_cast<std::int64_t>(s.arenas_released);
  return snapshot;
}

template <class G>
std::size_t Heap<G>::UsableSize(void* p) const noexcept {
  const PoolHeader* pool = PoolOf(p);
  if (OwnsInPool(p, pool)) return BlockSize(geometry(), pool->size_class);
  return raw_source_.usable_size(raw_source_.context, p);
}

}  // namespace arenalab
