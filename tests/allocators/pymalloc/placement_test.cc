// Where blocks go: the worked examples that 3.8.18 and 3.11.7 were asked for,
// and each rule of pools and arenas by itself. Realloc and calloc, and what is
// not pymalloc's, are request_test.cc's.
#include <gtest/gtest.h>

#include "tests/allocators/pymalloc/named_heap.h"

namespace arenalab {
namespace {

template <class G>
class SixteenByte : public testing::Test {};
using SixteenByteGenerations =
    testing::Types<Cpython374, Cpython38, Cpython39, Cpython310, Cpython311,
                   Cpython315HugePages>;
TYPED_TEST_SUITE(SixteenByte, SixteenByteGenerations);

TYPED_TEST(SixteenByte, FreedBlocksComeBackLastInFirstOutThenThePreLinkedOne) {
  NamedHeap<TypeParam> h;
  for (std::uint64_t offset : {48, 160, 272, 384})
    EXPECT_EQ(h.Malloc(100), offset);
  h.FreeNth(1);
  h.FreeNth(0);
  EXPECT_EQ(h.Malloc(100), 48u);
  EXPECT_EQ(h.Malloc(100), 160u);
  EXPECT_EQ(h.Malloc(100), 496u);
}

TYPED_TEST(SixteenByte, EmptyPoolKeepsItsFreeListForTheSameClass) {
  NamedHeap<TypeParam> h;
  for (std::uint64_t offset : {48, 256, 464}) EXPECT_EQ(h.Malloc(200), offset);
  h.heap.Allocate(16);  // keeps the arena
  h.FreeNth(0);
  h.FreeNth(2);
  h.FreeNth(1);
  EXPECT_EQ(h.heap.ComputeStatistics().allocated_bytes, 16u);
  for (std::uint64_t offset : {256, 464, 48, 672})
    EXPECT_EQ(h.Malloc(200), offset);
}

TYPED_TEST(SixteenByte, EmptyPoolIsSetUpAnewForAnotherClass) {
  NamedHeap<TypeParam> h;
  for (int i = 0; i < 3; ++i) h.Malloc(300);
  h.heap.Allocate(16);  // keeps the arena
  for (int i = 0; i < 3; ++i) h.FreeNth(i);
  EXPECT_EQ(h.Malloc(400), 48u);
  EXPECT_EQ(h.Malloc(400), 448u);
}

TYPED_TEST(SixteenByte, PoolsAreCarvedUpwards) {
  NamedHeap<TypeParam> h;
  for (std::uint64_t i = 0; i < 20; ++i)
    EXPECT_EQ(h.Malloc(16 * (i + 1)), 48 + i * TypeParam::kGeometry.pool_bytes);
}

TYPED_TEST(SixteenByte, AFullPoolThatGetsABlockBackGoesToTheFront) {
  NamedHeap<TypeParam> h;
  const std::size_t capacity = BlocksPerPool<TypeParam>(31);
  for (std::size_t i = 0; i < 2 * capacity + 1; ++i) h.Malloc(512);
  h.FreeNth(0);         // pool 0 was full: to the front, before pool 2
  h.FreeNth(capacity);  // pool 1 was full: before pool 0
  h.FreeNth(1);         // pool 0 stays where it is
  EXPECT_EQ(h.Malloc(512), h.At(h.blocks[capacity]));
  EXPECT_EQ(h.Malloc(512), h.At(h.blocks[1]));
  EXPECT_EQ(h.Malloc(512), h.At(h.blocks[0]));
  CheckHeap(h.heap);
}

TYPED_TEST(SixteenByte, FreePoolsOfTheFrontArenaComeBeforeItsVirginOnes) {
  NamedHeap<TypeParam> h;
  const std::uint64_t pool = TypeParam::kGeometry.pool_bytes;
  for (std::size_t i = 0; i < 3; ++i) h.Malloc(16 * (i + 1));
  h.FreeNth(0);
  h.FreeNth(1);
  // Last in, first out.
  EXPECT_EQ(h.Malloc(100), pool + 48);
  EXPECT_EQ(h.Malloc(200), 48u);
  EXPECT_EQ(h.Malloc(300), 3 * pool + 48);
}

template <class G>
class EveryGeneration : public testing::Test {};
using Generations = testing::Types<Cpython23, Cpython242, Cpython25, Classic,
                                   Cpython374, Cpython38, Cpython39, Cpython310,
                                   Cpython311, Cpython315HugePages>;
TYPED_TEST_SUITE(EveryGeneration, Generations);

TYPED_TEST(EveryGeneration, AnArenaOffThePoolBoundaryLosesOnePool) {
  // Behind 4096, 8192, 12288 bytes; 64 KiB slots never collide.
  NamedHeap<TypeParam> h(1);
  constexpr std::size_t kPool = TypeParam::kGeometry.pool_bytes;
  const bool aligned = 4096 % kPool == 0;
  EXPECT_EQ(h.Malloc(8), aligned ? 48u : kPool - 4096 + 48);
  h.heap.VisitArenas([&](const ArenaView& arena) {
    EXPECT_EQ(arena.total_pools,
              PoolsPerArena(TypeParam::kGeometry) - (aligned ? 0 : 1));
  });
  EXPECT_EQ(h.heap.ComputeStatistics().alignment_bytes, aligned ? 0 : kPool);
  CheckHeap(h.heap);
}

// An arena source in the way of 2.3's malloc: sixteen bytes off the page.
TYPED_TEST(EveryGeneration, AnArenaSixteenBytesOffThePageWorksToItsLastByte) {
  static char* base;
  constexpr std::size_t kArena = TypeParam::kGeometry.arena_bytes;
  std::vector<char> memory(3 * kArena);
  base = memory.data();
  base += kArena - reinterpret_cast<std::uint64_t>(base) % kArena + 16;
  HeapOptions options;
  options.arena_source = {nullptr,
                          [](void*, std::size_t) -> void* { return base; },
                          [](void*, void*, std::size_t) {}};
  Heap<TypeParam> heap(options);
  const std::size_t blocks =
      (PoolsPerArena(TypeParam::kGeometry) - 1) * BlocksPerPool<TypeParam>(3);
  std::vector<void*> all;
  for (std::size_t i = 0; i < blocks; ++i) {
    all.push_back(heap.Allocate(BlockSize<TypeParam>(3)));
    ASSERT_TRUE(heap.Owns(all.back()));
  }
  EXPECT_EQ(heap.ComputeStatistics().unused_pools, 0u);
  CheckHeap(heap);
  for (void* block : all) heap.Free(block);
}

TEST(ArenaChoice, TheFullestArenaServesAndTheKeepRuleLooksBeforeSorting) {
  // Three arenas of 512-byte blocks, then a pool of each is emptied.
  NamedHeap<Cpython39> h;
  constexpr std::size_t kPerPool = 7, kPerArena = 64 * kPerPool;
  for (std::size_t i = 0; i < 3 * kPerArena; ++i) h.Malloc(512);
  const auto free_pools = [&](std::size_t arena, std::size_t first,
                              std::size_t count) {
    for (std::size_t i = 0; i < count * kPerPool; ++i)
      h.FreeNth(arena * kPerArena + first * kPerPool + i);
  };
  free_pools(0, 0, 2);
  free_pools(1, 0, 1);
  free_pools(2, 0, 1);
  // Ties: the newest arrival is leftmost.
  EXPECT_EQ(h.arenas.PositionOf(h.heap.Allocate(16))->arena, 2u);
  EXPECT_EQ(h.arenas.PositionOf(h.heap.Allocate(32))->arena, 1u);
  EXPECT_EQ(h.arenas.PositionOf(h.heap.Allocate(48))->arena, 0u);
  CheckHeap(h.heap);
}

TEST(ArenaChoice, ClassicReleasesTheLastArenaAndThreeNineKeepsIt) {
  const auto cycles = []<class G>() {
    NamedHeap<G> h;
    for (int i = 0; i < 100; ++i) h.heap.Free(h.heap.Allocate(256));
    return h.arenas.created();
  };
  EXPECT_EQ(cycles.operator()<Cpython25>(), 100u);
  EXPECT_EQ(cycles.operator()<Classic>(), 100u);
  EXPECT_EQ(cycles.operator()<Cpython38>(), 100u);
  EXPECT_EQ(cycles.operator()<Cpython39>(), 1u);
  EXPECT_EQ(cycles.operator()<Cpython311>(), 1u);
  EXPECT_EQ(cycles.operator()<Cpython23>(), 1u) << "never releases";
}

TEST(OneList, AnEmptyPoolOfAnyArenaComesBeforeTheNextVirginOne) {
  NamedHeap<Cpython23> h;
  const std::size_t per_pool = BlocksPerPool<Cpython23>(31);
  for (std::size_t i = 0; i < 64 * per_pool + 1; ++i) h.Malloc(256);
  ASSERT_EQ(h.arenas.created(), 2u);
  for (std::size_t i = 0; i < per_pool; ++i) h.FreeNth(5 * per_pool + i);
  const auto position = h.arenas.PositionOf(h.heap.Allocate(8));
  EXPECT_EQ(*position, (Position{0, 5 * 4096 + 48}));
}

TEST(Destructor, GivesBackArenasAndTables) {
  static int allocated;
  allocated = 0;
  HeapOptions options;
  SlotArenaSource arenas;
  options.arena_source = arenas.source();
  options.metadata_source.allocate_zeroed = [](void*, std::size_t n,
                                               std::size_t bytes) {
    ++allocated;
    return std::calloc(n, bytes);
  };
  options.metadata_source.reallocate = [](void*, void* p, std::size_t bytes) {
    allocated += p == nullptr;
    return std::realloc(p, bytes);
  };
  options.metadata_source.free = [](void*, void* p) {
    allocated -= p != nullptr;
    std::free(p);
  };
  {
    Heap<Cpython311> heap(options);
    for (int i = 0; i < 5000; ++i) heap.Allocate(512);
    EXPECT_GE(arenas.live(), 2u);
    EXPECT_GE(allocated, 4) << "records, root, mid, bottom";
  }
  EXPECT_EQ(arenas.live(), 0u);
  EXPECT_EQ(allocated, 0);
}

}  // namespace
}  // namespace arenalab
