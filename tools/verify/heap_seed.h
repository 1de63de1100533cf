// Makes a heap of the clone go on from another heap's books: afterwards it
// gives the addresses that the other would have given, arena by arena.
//
//   image.arenas[i] ──► the i-th acquire() of the heap's own arena source,
//                       which must lie as the image's does modulo arena_bytes
//
// Blocks hold nothing: only headers and free lists are written. Generations
// that keep one list of empty pools (2.3, 2.4) cannot be seeded.
//
// THREADS. One.
#pragma once

#include <cstdint>
#include <vector>

#include "allocators/pymalloc/heap.h"
#include "allocators/pymalloc/heap_check.h"
#include "allocators/pymalloc/size_class.h"
#include "tracer/format/heap_image.h"

namespace arenalab {

template <class G>
class HeapSeed {
 public:
  // REQUIRES: `heap` was never used, and outlives this.
  HeapSeed(const HeapImage& image, Heap<G>* heap)
      : image_(image), heap_(*heap), inside_(*heap) {}

  // Calls visit(address in the image, block of the heap) for each live block.
  // False, and the heap is not to be used, if the image is of another geometry
  // or arenas could not be had where they must lie.
  template <class Visitor>
  bool Plant(Visitor&& visit) {
    const GeometryValues& g = heap_.geometry();
    if (heap_.policy().empty_pools != EmptyPools::kPerArena ||
        g.arena_bytes != image_.arena_bytes ||
        g.pool_bytes != image_.pool_bytes || g.alignment != image_.alignment ||
        g.max_small_bytes != image_.max_small_bytes)
      return false;
    for (std::uint32_t i = 0; i < image_.slots; ++i)
      if (inside_.records().Take(inside_.metadata_source()) == nullptr)
        return false;
    if (inside_.records().size() != image_.slots) return false;
    pools_.reserve(image_.pools.size());
    for (const ArenaImage& arena : image_.arenas)
      if (!PlantArena(arena)) return false;
    LinkUsable();
    for (std::size_t i = image_.unused_slots.size(); i-- > 0;)
      inside_.records().PutBack(&inside_.records()[image_.unused_slots[i]]);
    LinkUsed();
    inside_.SetArenaCounts(image_.arenas_created, image_.arenas.size(),
                           image_.arenas_high_water);
    VisitLive(visit);
    return true;
  }

 private:
  bool PlantArena(const ArenaImage& arena) {
    const GeometryValues& g = heap_.geometry();
    const ArenaSource& source = inside_.arena_source();
    void* const memory = source.acquire(source.context, g.arena_bytes);
    const std::uint64_t base = AddressOf(memory);
    if (memory == nullptr || base % g.pool_bytes != arena.base % g.pool_bytes)
      return false;
    if (heap_.policy().address_test == AddressTest::kRadixTree &&
        !inside_.map().Mark(inside_.radix_shape(), base,
                            inside_.metadata_source()))
      return false;
    const std::uint64_t first = FirstPool(g, base);
    ArenaRecord& record = inside_.records()[arena.slot];
    record.base = base;
    record.next_virgin_pool = first + arena.carved_pools * g.pool_bytes;
    record.total_pools = arena.total_pools;
    record.free_pools = static_cast<std::uint32_t>(
        arena.free_pools.size() + arena.total_pools - arena.carved_pools);
    record.free_list = 0;
    record.next = record.prev = nullptr;
    for (std::uint32_t i = 0; i < arena.carved_pools; ++i)
      PlantPool(first + i * g.pool_bytes, arena.slot);
    for (std::size_t i = arena.free_pools.size(); i-- > 0;) {
      const std::uint64_t pool = first + arena.free_pools[i] * g.pool_bytes;
      PoolAt(pool)->next = record.free_list;
      record.free_list = pool;
    }
    return true;
  }

  void PlantPool(std::uint64_t base, std::uint32_t slot) {
    const GeometryValues& g = heap_.geometry();
    const PoolImage& from = image_.pools[pools_.size()];
    PoolHeader& header = *PoolAt(base);
    pools_.push_back(base);
    header = {};
    header.arena_index = slot;
    header.size_class = kNoClass;
    if (from.size_class == g.classes) return;
    const std::uint64_t block = BlockSize(g, from.size_class);
    header.size_class = static_cast<std::uint16_t>(from.size_class);
    header.live_blocks = from.live_blocks;
    header.next_offset =
        static_cast<std::uint32_t>(g.header_bytes + from.carved_blocks * block);
    header.max_next_offset = static_cast<std::uint32_t>(g.pool_bytes - block);
    std::uint64_t* link = &header.free_list;
    for (std::uint32_t i = 0; i < from.free_blocks; ++i) {
      *link = base + g.header_bytes + image_.free_blocks[free_++] * block;
      link = &LinkAt(*link);
    }
    *link = 0;
  }

  void LinkUsable() {
    for (std::size_t i = image_.usable.size(); i-- > 0;) {
      ArenaRecord* const arena =
          &inside_.records()[image_.arenas[image_.usable[i]].slot];
      inside_.usable().InsertFront(arena);
      // The finger is the last of as many: the first that comes by here.
      ArenaRecord*& last = inside_.usable().last_with(arena->free_pools);
      if (last == nullptr && heap_.policy().arena_sort == ArenaSort::kFingers)
        last = arena;
    }
  }

  void LinkUsed() {
    for (std::size_t c = 0; c < image_.used.size(); ++c) {
      std::uint64_t left = inside_.sentinel(c);
      for (const std::uint32_t place : image_.used[c]) {
        PoolAt(left)->next = pools_[place];
        PoolAt(pools_[place])->prev = left;
        left = pools_[place];
      }
      PoolAt(left)->next = inside_.sentinel(c);
      inside_.head(c).prev = left;
    }
  }

  template <class Visitor>
  void VisitLive(Visitor&& visit) {
    std::size_t pool = 0;
    std::uint64_t begin = 0, moved = 0;
    // Blocks come pool by pool, so the distance is looked up once for each.
    std::vector<std::uint64_t> bases;
    for (const ArenaImage& arena : image_.arenas)
      for (std::uint32_t i = 0; i < arena.carved_pools; ++i)
        bases.push_back(image_.first_pool(arena) + i * image_.pool_bytes);
    image_.VisitLiveBlocks([&](std::uint64_t address, std::size_t) {
      while (begin == 0 || address - begin >= image_.pool_bytes) {
        begin = bases[pool];
        moved = pools_[pool++] - begin;
      }
      visit(address, reinterpret_cast<void*>(address + moved));
    });
  }

  const HeapImage& image_;
  Heap<G>& heap_;
  HeapInside<G> inside_;
  std::vector<std::uint64_t> pools_;  // by place in the image
  std::size_t free_ = 0;
};

}  // namespace arenalab
