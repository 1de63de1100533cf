// Walks the arenas of one state.
#include "tools/inspect/heap_reading.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

// How the bytes of one OS page are taken.
struct PageUse {
  std::uint32_t live_bytes = 0;
  std::uint32_t header_bytes = 0;
};

class ArenaWalk {
 public:
  ArenaWalk(TargetMemory& memory, const GeometryValues& geometry,
            HeapReading* heap,
            const std::function<void(const LiveBlock&)>& visit)
      : memory_(memory),
        geometry_(geometry),
        heap_(heap),
        visit_(visit),
        bytes_(geometry.arena_bytes + 2 * kPageBytes) {}

  void Walk(const FoundArena& found) {
    ArenaReading arena;
    arena.base = found.record.base;
    const std::uint64_t first = FirstPool(geometry_, arena.base);
    begin_ = arena.base & ~(kPageBytes - 1);
    const std::uint64_t end =
        (arena.base + geometry_.arena_bytes + kPageBytes - 1) &
        ~(kPageBytes - 1);
    const std::vector<PageState> pages =
        memory_.ReadContent(begin_, end, bytes_.data());
    use_.assign(pages.size(), {});
    const std::uint64_t total =
        (arena.base + geometry_.arena_bytes - first) / geometry_.pool_bytes;
    arena.lost_bytes = geometry_.arena_bytes - total * geometry_.pool_bytes;
    const std::uint64_t carved = std::min<std::uint64_t>(
        found.record.next_virgin_pool < first
            ? 0
            : (found.record.next_virgin_pool - first) / geometry_.pool_bytes,
        total);
    for (std::uint64_t i = 0; i < carved; ++i)
      WalkPool(first + i * geometry_.pool_bytes, found.index, &arena);
    arena.free_pools = total - arena.used_pools;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (pages[i] == PageState::kSwapped) ++arena.swapped_pages;
      if (pages[i] != PageState::kPresent) continue;
      ++arena.present_pages;
      arena.present_live_bytes += use_[i].live_bytes;
      arena.present_header_bytes += use_[i].header_bytes;
      if (use_[i].live_bytes + use_[i].header_bytes == 0) ++arena.idle_pages;
    }
    heap_->arenas.push_back(arena);
  }

 private:
  void WalkPool(std::uint64_t base, std::uint32_t arena_index,
                ArenaReading* arena) {
    unsigned char* bytes = bytes_.data() + (base - begin_);
    std::optional<PoolReading> pool;
    for (int tried = 0; tried < kTries; ++tried) {
      if (tried > 0) {
        ++heap_->pools_read_again;
        memory_.ReadContent(base & ~(kPageBytes - 1),
                            base + geometry_.pool_bytes, bytes);
      }
      // A pool that was handed out and never filled has no class yet.
      pool = ReadPool(bytes, base, geometry_);
      if (pool && pool->header.arena_index == arena_index) break;
      pool.reset();
    }
    if (!pool) {
      ++arena->torn_pools;
      ++heap_->torn_pools;
      return;
    }
    if (pool->header.live_blocks == 0) return;
    const std::uint32_t size_class = pool->header.size_class;
    ++arena->used_pools;
    arena->live_blocks += pool->header.live_blocks;
    arena->live_bytes += pool->header.live_blocks * pool->block_bytes;
    arena->free_block_bytes +=
        (pool->blocks - pool->header.live_blocks) * pool->block_bytes;
    arena->header_bytes += geometry_.header_bytes;
    arena->tail_bytes += PoolTailBytes(geometry_, size_class);
    ClassStatistics& row = heap_->statistics.classes[size_class];
    ++row.pools;
    row.used_blocks += pool->header.live_blocks;
    row.available_blocks += pool->blocks - pool->header.live_blocks;
    Mark(base, geometry_.header_bytes, &PageUse::header_bytes);
    for (std::size_t i = 0; i < pool->is_live.size(); ++i) {
      if (!pool->is_live[i]) continue;
      const std::uint64_t offset =
          geometry_.header_bytes + i * pool->block_bytes;
      Mark(base + offset, pool->block_bytes, &PageUse::live_bytes);
      visit_({base + offset, bytes + offset, pool->block_bytes, size_class,
              heap_->arenas.size()});
    }
  }

  void Mark(std::uint64_t address, std::uint64_t bytes,
            std::uint32_t PageUse::*what) {
    if (address % kPageBytes + bytes <= kPageBytes) {  // as most are
      use_[(address - begin_) / kPageBytes].*what +=
          static_cast<std::uint32_t>(bytes);
      return;
    }
    const std::uint64_t end = address + bytes;
    while (address < end) {
      const std::uint64_t next =
          std::min(end, (address / kPageBytes + 1) * kPageBytes);
      use_[(address - begin_) / kPageBytes].*what +=
          static_cast<std::uint32_t>(next - address);
      address = next;
    }
  }

  TargetMemory& memory_;
  const GeometryValues& geometry_;
  HeapReading* heap_;
  const std::function<void(const LiveBlock&)>& visit_;
  std::vector<unsigned char> bytes_;
  std::vector<PageUse> use_;
  std::uint64_t begin_ = 0;
};

void FillStatistics(const AllocatorState& state, HeapReading* heap) {
  Statistics& s = heap->statistics;
  s.arenas_created = state.arenas_created;
  s.arenas_live = heap->arenas.size();
  s.arenas_released = s.arenas_created - s.arenas_live;
  s.arenas_high_water = state.arenas_high_water;
  for (const ArenaReading& arena : heap->arenas) {
    s.allocated_bytes += arena.live_bytes;
    s.available_bytes += arena.free_block_bytes;
    s.unused_pools += arena.free_pools;
    s.pool_header_bytes += arena.header_bytes;
    s.quantization_bytes += arena.tail_bytes;
    s.alignment_bytes += arena.lost_bytes;
  }
  s.arena_record_bytes = state.slots * sizeof(ArenaRecord);
  if (heap->tree) {
    s.map_root_bytes = heap->tree->root_bytes;
    s.map_mid_nodes = heap->tree->mid_nodes;
    s.map_mid_bytes = heap->tree->mid_bytes;
    s.map_bottom_nodes = heap->tree->bottom_nodes;
    s.map_bottom_bytes = heap->tree->bottom_bytes;
    heap->policy.address_test = AddressTest::kRadixTree;
    heap->policy.address_bits = heap->tree->address_bits;
  }
}

}  // namespace

std::optional<GeometryValues> DecideGeometry(TargetMemory& memory,
                                             const AllocatorState& state) {
  constexpr std::array kKnown = {
      Cpython311::kGeometry, Cpython315HugePages::kGeometry,
      Cpython374::kGeometry, Classic::kGeometry, Cpython25::kGeometry};
  constexpr std::size_t kEnough = 256;  // headers to judge by
  std::optional<GeometryValues> best;
  std::size_t best_right = 0;
  for (const GeometryValues& geometry : kKnown) {
    std::size_t right = 0, seen = 0;
    for (const FoundArena& arena : state.arenas) {
      if (seen >= kEnough) break;
      const std::uint64_t first = FirstPool(geometry, arena.record.base);
      const std::uint64_t whole =
          (arena.record.base + geometry.arena_bytes - first) /
          geometry.pool_bytes;
      ++seen;
      if (arena.record.total_pools != whole) continue;
      ++right;
      for (std::uint64_t pool = first; pool < arena.record.next_virgin_pool &&
                                       pool < first + geometry.arena_bytes;
           pool += geometry.pool_bytes) {
        PoolHeader header;
        ++seen;
        right += memory.ReadValue(pool, &header) &&
                 header.arena_index == arena.index &&
                 IsPoolHeader(header, pool, geometry);
      }
    }
    // Smaller pools than the real ones have headers inside the real ones'
    // blocks: few are right. A tie is the newer one's.
    if (right * 10 >= seen * 9 && right > best_right) {
      best = geometry;
      best_right = right;
    }
  }
  return best;
}

HeapReading ReadHeap(TargetMemory& memory, const AllocatorState& state,
                     const GeometryValues& geometry,
                     const std::function<void(const LiveBlock&)>& visit,
                     const std::function<void()>& arena_read) {
  HeapReading heap;
  heap.state = state.address;
  heap.geometry = geometry;
  if (geometry.pool_bytes > kPageBytes)
    heap.tree = FindAddressTree(memory, state, geometry);
  ArenaWalk walk(memory, geometry, &heap, visit);
  for (const FoundArena& arena : state.arenas) {
    walk.Walk(arena);
    if (arena_read) arena_read();
  }
  FillStatistics(state, &heap);
  return heap;
}

}  // namespace arenalab
