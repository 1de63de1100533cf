// CheckHeap() finds each numbered invariant broken, and only a broken one.
//
// Each test corrupts one thing in a healthy heap and names the number that must
// be reported. P4 (nothing written past next_offset) is
// untouched_memory_test's.
#include "allocators/pymalloc/heap_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

// A heap of four arenas: two with empty pools, pools used and full.
template <class G>
class BusyHeap {
 public:
  BusyHeap() : heap_(Options()) {
    const std::size_t blocks =
        3 * PoolsPerArena(G::kGeometry) * BlocksPerPool<G>(kClass) +
        BlocksPerPool<G>(kClass) * 3 / 2;
    for (std::size_t i = 0; i < blocks; ++i)
      blocks_.push_back(heap_.Allocate(kBytes));
    // Arena 1 gets 3 empty pools, arena 2 gets 5; two pools of arena 0 holes.
    FreePools(1, 3);
    FreePools(2, 5);
    for (std::size_t pool : {1, 4})
      for (std::size_t i = 0; i < 3; ++i) FreeBlock(0, pool, i);
    CheckHeap(heap_);
  }
  ~BusyHeap() { arenas_.FailAt(0, true); }

  Heap<G>& heap() { return heap_; }
  HeapInside<G> inside() { return HeapInside<G>(heap_); }
  PoolHeader* pool(std::size_t arena, std::size_t i) {
    return reinterpret_cast<PoolHeader*>(arenas_.ArenaBase(arena) +
                                         i * G::kGeometry.pool_bytes);
  }
  ArenaRecord* record(std::uint32_t i) { return &inside().records()[i]; }
  std::string Found() {
    const std::optional<Violation> v = FindViolation(heap_);
    return v ? v->number : "none";
  }

  static constexpr std::size_t kBytes = 256;
  static constexpr std::size_t kClass = kBytes / G::kGeometry.alignment - 1;

 private:
  HeapOptions Options() {
    HeapOptions options;
    options.arena_source = arenas_.source();
    return options;
  }
  void FreeBlock(std::size_t arena, std::size_t pool, std::size_t i) {
    const std::size_t per_pool = BlocksPerPool<G>(kClass);
    heap_.Free(
        blocks_[(arena * PoolsPerArena(G::kGeometry) + pool) * per_pool + i]);
  }
  void FreePools(std::size_t arena, std::size_t count) {
    for (std::size_t pool = 0; pool < count; ++pool)
      for (std::size_t i = 0; i < BlocksPerPool<G>(kClass); ++i)
        FreeBlock(arena, pool, i);
  }

  SlotArenaSource arenas_;
  Heap<G> heap_;
  std::vector<void*> blocks_;
};

using Busy = BusyHeap<Cpython311>;

TEST(HeapCheck, HealthyHeapsHaveNoViolation) {
  ForEachGeneration([]<class G>() {
    BusyHeap<G> busy;
    EXPECT_EQ(busy.Found(), "none") << G::kName;
  });
}

TEST(HeapCheck, EmptyHeapHasNoViolation) {
  ForEachGeneration([]<class G>() {
    Heap<G> heap{HeapOptions{}};
    EXPECT_EQ(FindViolation(heap), std::nullopt) << G::kName;
  });
}

TEST(HeapCheck, P1PoolOffItsBoundary) {
  Busy busy;
  // The front of the used list, one block further.
  busy.inside().head(Busy::kClass).next += 256;
  EXPECT_EQ(busy.Found(), "P1");
}

TEST(HeapCheck, P1FreePoolOffItsBoundary) {
  Busy busy;
  busy.record(1)->free_list += 64;
  EXPECT_EQ(busy.Found(), "P1");
}

TEST(HeapCheck, P2LostBlock) {
  Busy busy;
  PoolHeader* pool = busy.pool(0, 1);
  pool->free_list = LinkAt(pool->free_list);
  EXPECT_EQ(busy.Found(), "P2");
}

TEST(HeapCheck, P2BlockCountedTwice) {
  Busy busy;
  ++busy.pool(0, 1)->live_blocks;
  EXPECT_EQ(busy.Found(), "P2");
}

TEST(HeapCheck, P3UsedPoolWithAnEmptyFreeList) {
  Busy busy;
  // As if the last block had been popped without linking the next one: the
  // newest pool still has uncarved blocks.
  PoolHeader* pool = PoolAt(busy.inside().head(Busy::kClass).prev);
  ASSERT_LE(pool->next_offset, pool->max_next_offset);
  while (pool->free_list != 0) {
    pool->free_list = LinkAt(pool->free_list);
    ++pool->live_blocks;
  }
  EXPECT_EQ(busy.Found(), "P3");
}

TEST(HeapCheck, P5FreeBlockOffItsBoundary) {
  Busy busy;
  busy.pool(0, 1)->free_list += 8;
  EXPECT_EQ(busy.Found(), "P5");
}

TEST(HeapCheck, P5FreeBlockOfAnotherPool) {
  Busy busy;
  busy.pool(0, 1)->free_list = busy.pool(0, 4)->free_list;
  EXPECT_EQ(busy.Found(), "P5");
}

TEST(HeapCheck, P5FreeBlockBeyondTheFrontier) {
  Busy busy;
  PoolHeader* pool = PoolAt(busy.inside().head(Busy::kClass).prev);
  LinkAt(pool->free_list) = AddressOf(pool) + pool->next_offset;
  EXPECT_EQ(busy.Found(), "P5");
}

TEST(HeapCheck, P5DoubleFree) {
  Busy busy;
  PoolHeader* pool = busy.pool(0, 1);
  // The list becomes a ring: the check ends all the same.
  std::uint64_t last = pool->free_list;
  while (LinkAt(last) != 0) last = LinkAt(last);
  LinkAt(last) = pool->free_list;
  EXPECT_EQ(busy.Found(), "P5");
}

TEST(HeapCheck, P6FrontierBetweenBlocks) {
  Busy busy;
  busy.pool(0, 1)->next_offset -= 16;
  EXPECT_EQ(busy.Found(), "P6");
}

TEST(HeapCheck, P6FrontierOfAnotherClass) {
  Busy busy;
  busy.pool(0, 1)->max_next_offset += 16;
  EXPECT_EQ(busy.Found(), "P6");
}

TEST(HeapCheck, P6ClassThatDoesNotExist) {
  Busy busy;
  busy.pool(0, 1)->size_class = 32;
  EXPECT_EQ(busy.Found(), "P6");
}

TEST(HeapCheck, L1UsedPoolInNoList) {
  Busy busy;
  auto& head = busy.inside().head(Busy::kClass);
  head.next = PoolAt(head.next)->next;
  PoolAt(head.next)->prev = busy.inside().sentinel(Busy::kClass);
  EXPECT_EQ(busy.Found(), "L1");
}

TEST(HeapCheck, L1PrevDoesNotMirrorNext) {
  Busy busy;
  const std::uint64_t front = busy.inside().head(Busy::kClass).next;
  PoolAt(front)->prev = front;
  EXPECT_EQ(busy.Found(), "L1");
}

TEST(HeapCheck, L1ListThatDoesNotEnd) {
  Busy busy;
  const std::uint64_t front = busy.inside().head(Busy::kClass).next;
  PoolAt(front)->next = front;
  EXPECT_EQ(busy.Found(), "L1");
}

TEST(HeapCheck, L1PoolInTheListOfAnotherClass) {
  Busy busy;
  auto inside = busy.inside();
  const std::uint64_t only = AddressOf(busy.heap().Allocate(16)) &
                             ~(Cpython311::kGeometry.pool_bytes - 1);
  // Moved over to class 1, links in order.
  inside.head(0).next = inside.head(0).prev = inside.sentinel(0);
  inside.head(1).next = inside.head(1).prev = only;
  PoolAt(only)->next = PoolAt(only)->prev = inside.sentinel(1);
  EXPECT_EQ(busy.Found(), "L1");
}

TEST(HeapCheck, L1FullPoolInAUsedList) {
  Busy busy;
  auto inside = busy.inside();
  auto& head = inside.head(Busy::kClass);
  PoolHeader* full = busy.pool(0, 0);
  PoolHeader* front = PoolAt(head.next);
  ASSERT_EQ(full->free_list, 0u);
  // It takes the place of a used one.
  full->next = front->next;
  full->prev = front->prev;
  PoolAt(front->next)->prev = head.next = AddressOf(full);
  EXPECT_EQ(busy.Found(), "L1");
}

TEST(HeapCheck, A1CountIsNotTheListsLength) {
  Busy busy;
  ++busy.record(1)->free_pools;
  EXPECT_EQ(busy.Found(), "A1");
}

TEST(HeapCheck, A1LostFreePool) {
  Busy busy;
  busy.record(1)->free_list = PoolAt(busy.record(1)->free_list)->next;
  EXPECT_EQ(busy.Found(), "A1");
}

TEST(HeapCheck, A1FreePoolListThatDoesNotEnd) {
  Busy busy;
  const std::uint64_t first = busy.record(1)->free_list;
  PoolAt(first)->next = first;
  EXPECT_EQ(busy.Found(), "A1");
}

TEST(HeapCheck, A1CarvingCountOfTheOneList) {
  BusyHeap<Cpython23> busy;
  ++busy.record(busy.inside().carving())->free_pools;
  EXPECT_EQ(busy.Found(), "A1");
}

TEST(HeapCheck, A2UsableArenaLeftOut) {
  Busy busy;
  ArenaRecord* first = busy.inside().usable().front();
  ArenaRecord* third = first->next->next;
  ASSERT_NE(third, nullptr);
  first->next = third;
  third->prev = first;
  EXPECT_EQ(busy.Found(), "A2");
}

TEST(HeapCheck, A3NotSorted) {
  Busy busy;
  ArenaRecord* a = busy.inside().usable().front();
  ArenaRecord* b = a->next;
  ASSERT_LT(a->free_pools, b->free_pools);
  // Their memory changes places, their links do not.
  std::swap(a->base, b->base);
  std::swap(a->next_virgin_pool, b->next_virgin_pool);
  std::swap(a->free_pools, b->free_pools);
  std::swap(a->free_list, b->free_list);
  for (std::size_t arena : {1, 2})
    for (std::size_t i = 0; i < PoolsPerArena(Cpython311::kGeometry); ++i)
      busy.pool(arena, i)->arena_index = 3 - busy.pool(arena, i)->arena_index;
  EXPECT_EQ(busy.Found(), "A3");
}

TEST(HeapCheck, A3PrevDoesNotMirrorNext) {
  Busy busy;
  ArenaRecord* front = busy.inside().usable().front();
  front->next->prev = nullptr;
  EXPECT_EQ(busy.Found(), "A3");
}

TEST(HeapCheck, A4FingerOfNoArena) {
  Busy busy;
  ArenaRecord* front = busy.inside().usable().front();
  ASSERT_EQ(busy.inside().usable().last_with(front->free_pools), front);
  busy.inside().usable().last_with(front->free_pools) = nullptr;
  EXPECT_EQ(busy.Found(), "A4");
}

TEST(HeapCheck, A5FreePoolWithALiveBlock) {
  Busy busy;
  // A full pool and an empty one swap places in the count.
  PoolHeader* pool = busy.pool(1, 0);
  pool->live_blocks = BlocksPerPool<Cpython311>(Busy::kClass);
  pool->free_list = 0;
  EXPECT_TRUE(busy.Found() == "A5") << busy.Found();
}

TEST(HeapCheck, A5PoolNamesAnotherArena) {
  Busy busy;
  busy.pool(0, 1)->arena_index = 1;
  EXPECT_EQ(busy.Found(), "A5");
}

TEST(HeapCheck, A6TwoWhollyFreeArenasWhereOneIsKept) {
  SlotArenaSource arenas;
  HeapOptions options;
  options.arena_source = arenas.source();
  // A heap that keeps two, judged as if it kept one.
  Heap<Cpython311> heap(options);
  std::vector<void*> blocks;
  const std::size_t per_arena = 64 * BlocksPerPool<Cpython311>(Busy::kClass);
  for (std::size_t i = 0; i < 2 * per_arena + 1; ++i)
    blocks.push_back(heap.Allocate(Busy::kBytes));
  // Arena 2 holds one block: free it, it is the last of the list and is kept;
  // then make arena 1 wholly free while it seems to be the last.
  heap.Free(blocks.back());
  ASSERT_EQ(arenas.live(), 3u);
  HeapInside<Cpython311> inside(heap);
  ArenaRecord* kept = inside.usable().front();
  for (std::size_t i = per_arena; i + 1 < 2 * per_arena; ++i)
    heap.Free(blocks[i]);
  ASSERT_EQ(kept->prev, inside.usable().front());
  // Behind the heap's back: the kept arena leaves the list for a moment.
  ArenaRecord* one = inside.usable().front();
  one->next = nullptr;
  inside.usable().last_with(64) = nullptr;
  heap.Free(blocks[2 * per_arena - 1]);
  ASSERT_EQ(arenas.live(), 3u);
  one->next = kept;
  kept->prev = one;
  inside.usable().last_with(64) = kept;
  const std::optional<Violation> v = FindViolation(heap);
  ASSERT_TRUE(v);
  EXPECT_STREQ(v->number, "A6");
  EXPECT_EQ(v->expected, 1u);
  EXPECT_EQ(v->actual, 2u);
}

TEST(HeapCheck, A7WhollyFreeArenaThatDoesNotDecay) {
  HeapOptions options;
  options.settings = "keep_arenas:1,decay_bytes:65536";
  Heap<RuntimeGeneration> heap(options);
  heap.Free(heap.Allocate(64));
  ASSERT_FALSE(FindViolation(heap));
  HeapInside<RuntimeGeneration>(heap).decaying().Drop(0);
  const std::optional<Violation> v = FindViolation(heap);
  ASSERT_TRUE(v);
  EXPECT_STREQ(v->number, "A7");
  EXPECT_EQ(v->expected, 1u);
}

TEST(HeapCheck, L1PoolInTheListOfAnotherLane) {
  HeapOptions options;
  options.settings = "lanes:domain";
  Heap<RuntimeGeneration> heap(options);
  void* block = heap.AllocateHinted(64, {.domain = 1});
  ASSERT_FALSE(FindViolation(heap));
  PoolAt(AddressOf(block) & ~std::uint64_t{16383})->lane = 2;
  EXPECT_STREQ(FindViolation(heap).value().number, "L1");
}

TEST(HeapCheck, M1ArenaThatTheMapForgot) {
  Busy busy;
  auto inside = busy.inside();
  inside.map().Unmark(inside.radix_shape(), busy.record(2)->base);
  EXPECT_EQ(busy.Found(), "M1");
}

TEST(HeapCheck, M1MapClaimsForeignMemory) {
  Busy busy;
  auto inside = busy.inside();
  ASSERT_TRUE(inside.map().Mark(
      inside.radix_shape(), busy.record(0)->base - (1 << 20), LibcRawSource()));
  EXPECT_EQ(busy.Found(), "M1");
}

TEST(HeapCheck, S1ArenaThatWasNotCounted) {
  BusyHeap<Cpython23> busy;
  // Where no list says how many pools are free, only the sum can tell.
  busy.record(0)->total_pools += 1;
  busy.record(0)->free_pools += 1;
  EXPECT_EQ(busy.Found(), "S1");
}

TEST(HeapCheckDeath, SaysNumberAndBothValues) {
  EXPECT_DEATH(
      {
        Busy busy;
        ++busy.pool(0, 1)->live_blocks;
        CheckHeap(busy.heap());
      },
      "heap invariant P2 broken: .*expected 0x3f, found 0x40");
}

}  // namespace
}  // namespace arenalab
