// Asserts the numbered invariants of a heap, by walking all of it.
//
//   P1 - P6   pools                        pool.h   (P4 is a test's: see there)
//   L1        the used list of class c holds exactly the pools of class c with
//             some blocks out but not all, each once, in its lane's list and in
//             the order of PoolChoice, and prev mirrors next
//   A1 - A7   arenas, usable list, fingers arena.h
//   M1        the address test             arena_map.h
//   S1        the statistics' six lines sum to the live arenas
//
// FindViolation() reports the first that does not hold; CheckHeap() aborts with
// it. Both allocate nothing and write nothing; walks are bounded, so that a
// corrupted link ends in a report, not in a loop. A link to unmapped memory
// still faults. Slow: linear in the heap. The heap must not be used meanwhile.
//
// Under EmptyPools::kOneList A1 counts the pools never carved, and A2 - A4 and
// A7 say nothing: no arena there has a free-pool list.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "allocators/pymalloc/heap.h"

namespace arenalab {

struct Violation {
  const char* number;   // "P2"
  const char* what;     // in words
  std::uint64_t where;  // address of the pool, block or arena
  std::uint64_t expected;
  std::uint64_t actual;
};

// Opens a heap for the check, for tests that corrupt one, and for who makes one
// from another's books.
template <class G>
class HeapInside {
 public:
  explicit HeapInside(Heap<G>& heap) : heap_(heap) {}

  // Of these only next and prev exist.
  PoolHeader& head(std::size_t c, std::uint32_t lane = 0) {
    return *PoolAt(sentinel(c, lane));
  }
  auto& usable() { return heap_.usable_; }
  auto& records() { return heap_.records_; }
  auto& map() { return heap_.map_; }
  std::uint64_t& free_pools() { return heap_.free_pools_; }
  std::uint32_t carving() const { return heap_.carving_; }
  std::uint32_t uncarved_pools() const { return heap_.uncarved_pools_; }
  std::uint64_t sentinel(std::size_t c, std::uint32_t lane = 0) const {
    return heap_.Sentinel(heap_.ListOf(lane, c));
  }
  DecayingArenas& decaying() { return heap_.decaying_; }
  RadixShape radix_shape() const { return heap_.radix_shape(); }
  const ArenaSource& arena_source() const { return heap_.arena_source_; }
  const RawSource& metadata_source() const { return heap_.metadata_source_; }
  void SetArenaCounts(std::uint64_t created, std::uint64_t live,
                      std::uint64_t high_water) {
    heap_.arenas_created_ = created;
    heap_.arenas_live_ = live;
    heap_.arenas_high_water_ = high_water;
  }

 private:
  Heap<G>& heap_;
};

template <class G>
class HeapCheck {
 public:
  // The check reads only; HeapInside wants a heap that tests may write to.
  explicit HeapCheck(const Heap<G>& heap)
      : heap_(heap),
        inside_(const_cast<Heap<G>&>(heap)),
        geometry_(heap.geometry()),
        policy_(heap.policy()) {}

  std::optional<Violation> Run() {
    heap_.VisitArenas([this](const ArenaView& arena) { CheckArena(arena); });
    // What comes later walks what came before.
    if (!found_) CheckUsedLists();
    if (!found_ && per_arena()) CheckUsableList();
    if (!found_) CheckSum();
    return found_;
  }

 private:
  static constexpr std::size_t kMaxBlocks = 1 << 15;  // of one pool

  bool per_arena() const {
    return policy_.empty_pools == EmptyPools::kPerArena;
  }

  // Keeps the first violation only.
  bool Expect(bool holds, const char* number, const char* what,
              std::uint64_t where, std::uint64_t expected,
              std::uint64_t actual) {
    if (!holds && !found_)
      found_ = Violation{number, what, where, expected, actual};
    return holds;
  }
  bool ExpectEqual(std::uint64_t expected, std::uint64_t actual,
                   const char* number, const char* what, std::uint64_t where) {
    return Expect(expected == actual, number, what, where, expected, actual);
  }

  std::size_t Capacity(const PoolHeader& pool) const {
    return BlocksPerPool(geometry_, pool.size_class);
  }
  bool IsUsed(const PoolHeader& pool) const {
    return pool.live_blocks > 0 && pool.live_blocks < Capacity(pool);
  }

  void CheckArena(const ArenaView& arena) {
    std::uint64_t empty = 0;
    heap_.VisitPools(arena, [&](const PoolHeader& pool) {
      CheckPool(pool);
      ExpectEqual(arena.index, pool.arena_index, "A5", "pool names its arena",
                  AddressOf(&pool));
      if (pool.live_blocks == 0) ++empty;
      if (IsUsed(pool)) ++used_pools_;
    });
    ArenaRecord& record = inside_.records()[arena.index];
    const std::uint64_t uncarved = arena.total_pools - arena.carved_pools;
    if (!per_arena()) {
      ExpectEqual(uncarved, record.free_pools, "A1", "pools never carved",
                  arena.base);
    } else {
      CheckFreePools(record);
      ExpectEqual(empty + uncarved, record.free_pools, "A1",
                  "free pools: empty plus never carved", arena.base);
      if (record.free_pools > 0) ++arenas_with_free_pools_;
      if (record.free_pools == record.total_pools) ++wholly_free_;
    }
    CheckMap(arena);
  }

  void CheckFreePools(const ArenaRecord& record) {
    std::uint64_t listed = 0;
    for (std::uint64_t at = record.free_list; at != 0; at = PoolAt(at)->next) {
      ++listed;
      if (!Expect(listed <= record.total_pools, "A1", "free-pool list ends", at,
                  record.total_pools, listed))
        return;
      if (!Expect(at - record.base < geometry_.arena_bytes &&
                      at % geometry_.pool_bytes == 0,
                  "P1", "free pool is a pool of its arena", at, record.base,
                  at))
        return;
      ExpectEqual(0, PoolAt(at)->live_blocks, "A5", "free pool has no block",
                  at);
    }
    const std::uint64_t end = FirstPool(geometry_, record.base) +
                              record.total_pools * geometry_.pool_bytes;
    ExpectEqual(listed + (end - record.next_virgin_pool) / geometry_.pool_bytes,
                record.free_pools, "A1", "free pools: listed plus never carved",
                record.base);
  }

  void CheckPool(const PoolHeader& pool) {
    const std::uint64_t base = AddressOf(&pool);
    ExpectEqual(0, base % geometry_.pool_bytes, "P1", "pool is aligned", base);
    // Emptied and discarded: it has no blocks until it is set up anew.
    if (policy_.discard_free_pools && pool.live_blocks == 0 &&
        pool.size_class == kNoClass)
      return;
    if (!Expect(pool.size_class < geometry_.classes, "P6", "class exists", base,
                geometry_.classes, pool.size_class))
      return;
    const std::uint64_t size = BlockSize(geometry_, pool.size_class);
    const std::uint64_t capacity = Capacity(pool);
    const std::uint64_t carved = pool.next_offset - geometry_.header_bytes;
    ExpectEqual(geometry_.pool_bytes - size, pool.max_next_offset, "P6",
                "largest legal offset", base);
    if (!Expect(carved % size == 0 && carved / size <= capacity, "P6",
                "next_offset is a block boundary", base, capacity * size,
                carved))
      return;
    std::uint64_t listed = 0;
    std::bitset<kMaxBlocks> seen;
    for (std::uint64_t at = pool.free_list; at != 0; at = LinkAt(at)) {
      const std::uint64_t offset = at - base - geometry_.header_bytes;
      if (!Expect(offset % size == 0 && offset < carved, "P5",
                  "free block is a carved block of its pool", at, carved,
                  offset))
        return;
      if (LinkAt(at) != 0 &&
          !Expect(ComesFirst(policy_.free_list, at, LinkAt(at)), "P5",
                  "order of the free list", at, at, LinkAt(at)))
        return;
      if (!Expect(!seen[offset / size], "P5", "free block is listed once", at,
                  0, 1))
        return;
      seen.set(offset / size);
      ++listed;
    }
    ExpectEqual(capacity,
                pool.live_blocks + listed + (capacity - carved / size), "P2",
                "live + listed + not carved", base);
    if (IsUsed(pool))
      Expect(listed > 0, "P3", "used pool has a listed block", base, 1, listed);
  }

  void CheckUsedLists() {
    std::uint64_t in_lists = 0;
    for (std::uint32_t lane = 0; lane < LanesOf(policy_.lanes); ++lane)
      for (std::uint32_t c = 0; c < geometry_.classes; ++c)
        if (!CheckUsedList(lane, c, &in_lists)) return;
    ExpectEqual(used_pools_, in_lists, "L1", "every used pool is in a list", 0);
  }

  // False where the list cannot be walked on.
  bool CheckUsedList(std::uint32_t lane, std::uint32_t c,
                     std::uint64_t* in_lists) {
    const std::uint64_t end = inside_.sentinel(c, lane);
    std::uint64_t before = end;
    for (std::uint64_t at = inside_.head(c, lane).next; at != end;
         at = PoolAt(at)->next) {
      const PoolHeader& pool = *PoolAt(at);
      if (!ExpectEqual(0, at % geometry_.pool_bytes, "P1",
                       "used pool is aligned", at))
        return false;
      ++*in_lists;
      if (!Expect(*in_lists <= used_pools_, "L1",
                  "used lists hold the used pools", at, used_pools_, *in_lists))
        return false;
      ExpectEqual(before, pool.prev, "L1", "prev mirrors next", at);
      ExpectEqual(c, pool.size_class, "L1", "class of the list", at);
      ExpectEqual(lane, pool.lane, "L1", "lane of the list", at);
      Expect(IsUsed(pool), "L1", "some blocks out, not all", at, Capacity(pool),
             pool.live_blocks);
      if (before != end)
        Expect(ComesFirst(policy_.pool_choice, *PoolAt(before), pool), "L1",
               "order of the used list", at, before, at);
      before = at;
    }
    ExpectEqual(before, inside_.head(c, lane).prev, "L1", "list's last pool",
                end);
    return true;
  }

  void CheckUsableList() {
    auto& usable = inside_.usable();
    std::uint64_t listed = 0;
    const ArenaRecord* before = nullptr;
    for (const ArenaRecord* at = usable.front(); at != nullptr; at = at->next) {
      ++listed;
      if (!Expect(listed <= arenas_with_free_pools_, "A2",
                  "usable arenas are those with a free pool", at->base,
                  arenas_with_free_pools_, listed))
        return;
      Expect(at->base != 0 && at->free_pools > 0, "A2",
             "usable arena has a free pool", at->base, 1, at->free_pools);
      ExpectEqual(AddressOf(before), AddressOf(at->prev), "A3",
                  "prev mirrors next", at->base);
      if (before != nullptr)
        Expect(ComesFirst(policy_.arena_choice, *before, *at), "A3",
               "order of the usable list", at->base, before->free_pools,
               at->free_pools);
      before = at;
    }
    ExpectEqual(arenas_with_free_pools_, listed, "A2",
                "every arena with a free pool is usable", 0);
    Expect(wholly_free_ <= policy_.keep_arenas, "A6", "wholly free arenas", 0,
           policy_.keep_arenas, wholly_free_);
    if (policy_.decay_bytes != 0)
      ExpectEqual(wholly_free_, inside_.decaying().count(), "A7",
                  "wholly free arenas that decay", 0);
    if (policy_.arena_sort != ArenaSort::kFingers ||
        policy_.arena_choice != ArenaChoice::kFullest)
      return;
    for (std::size_t f = 1; f <= PoolsPerArena(geometry_); ++f) {
      const ArenaRecord* last = nullptr;
      for (const ArenaRecord* at = usable.front(); at != nullptr; at = at->next)
        if (at->free_pools == f) last = at;
      ExpectEqual(AddressOf(last), AddressOf(usable.last_with(f)), "A4",
                  "finger is the last arena with as many free pools", f);
    }
  }

  void CheckMap(const ArenaView& arena) {
    if (policy_.address_test != AddressTest::kRadixTree) {
      // The test itself reads pool headers, which A5 has checked.
      return;
    }
    const RadixShape shape = inside_.radix_shape();
    const std::uint64_t last = arena.base + geometry_.arena_bytes - 1;
    const auto expect = [&](std::uint64_t address, bool ours) {
      ExpectEqual(ours, inside_.map().Contains(shape, address), "M1",
                  "address is in an arena", address);
    };
    expect(arena.base, true);
    expect(last, true);
    expect(arena.base - 1, InArena(arena.base - 1));
    expect(last + 1, InArena(last + 1));
  }
  bool InArena(std::uint64_t address) const {
    bool found = false;
    heap_.VisitArenas([&](const ArenaView& arena) {
      found |= address - arena.base < geometry_.arena_bytes;
    });
    return found;
  }

  void CheckSum() {
    const Statistics s = heap_.ComputeStatistics();
    ExpectEqual(s.arenas_live * geometry_.arena_bytes,
                s.allocated_bytes + s.available_bytes +
                    s.unused_pools * geometry_.pool_bytes +
                    s.pool_header_bytes + s.quantization_bytes +
                    s.alignment_bytes,
                "S1", "statistics sum to the arenas", 0);
  }

  const Heap<G>& heap_;
  HeapInside<G> inside_;
  const GeometryValues geometry_;
  const PolicyValues policy_;
  std::optional<Violation> found_;
  std::uint64_t used_pools_ = 0;
  std::uint64_t arenas_with_free_pools_ = 0;
  std::uint64_t wholly_free_ = 0;
};

template <class G>
std::optional<Violation> FindViolation(const Heap<G>& heap) {
  return HeapCheck<G>(heap).Run();
}

template <class G>
void CheckHeap(const Heap<G>& heap) {
  const std::optional<Violation> v = FindViolation(heap);
  if (!v) return;
  std::fprintf(stderr,
               "heap invariant %s broken: %s: expected %#llx, found %#llx, at "
               "%#llx\n",
               v->number, v->what, static_cast<unsigned long long>(v->expected),
               static_cast<unsigned long long>(v->actual),
               static_cast<unsigned long long>(v->where));
  std::abort();
}

}  // namespace arenalab
