// Where blocks go: the worked examples that 3.8.18 and 3.11.7 were asked for,
// and each rule of allocation, free and realloc by itself.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_check.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

// The C library's blocks, those not freed remembered: a test may forget them.
class ForgivingRaw {
 public:
  ~ForgivingRaw() {
    for (void* block : live_) std::free(block);
  }
  RawSource source() {
    static const RawSource kLibc = LibcRawSource();
    RawSource source = kLibc;
    source.context = this;
    source.allocate = [](void* self, std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate(nullptr, bytes));
    };
    source.allocate_zeroed = [](void* self, std::size_t n, std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate_zeroed(nullptr, n, bytes));
    };
    source.allocate_aligned = [](void* self, std::size_t alignment,
                                 std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate_aligned(nullptr, alignment, bytes));
    };
    source.reallocate = [](void* self, void* p, std::size_t bytes) {
      Raw(self).live_.erase(p);
      return Raw(self).Add(kLibc.reallocate(nullptr, p, bytes));
    };
    source.free = [](void* self, void* p) {
      EXPECT_EQ(Raw(self).live_.erase(p), 1u) << "not a live raw block";
      kLibc.free(nullptr, p);
    };
    return source;
  }

 private:
  static ForgivingRaw& Raw(void* self) {
    return *static_cast<ForgivingRaw*>(self);
  }
  void* Add(void* block) {
    if (block != nullptr) live_.insert(block);
    return block;
  }
  std::set<void*> live_;
};

// A heap whose arenas have names.
template <class G>
class NamedHeap {
 public:
  explicit NamedHeap(int placement = 0) : arenas(placement), heap(Options()) {}

  std::uint64_t At(const void* block) const {
    const auto position = arenas.PositionOf(block);
    return position ? position->offset : kRaw;
  }
  // Offset in the arena of a new block.
  std::uint64_t Malloc(std::size_t bytes) {
    blocks.push_back(heap.Allocate(bytes));
    return At(blocks.back());
  }
  void FreeNth(std::size_t i) { heap.Free(blocks[i]); }

  static constexpr std::uint64_t kRaw = ~std::uint64_t{0};

  SlotArenaSource arenas;
  ForgivingRaw raw;
  Heap<G> heap;
  std::vector<void*> blocks;

 private:
  HeapOptions Options() {
    HeapOptions options;
    options.arena_source = arenas.source();
    options.raw_source = raw.source();
    return options;
  }
};

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

TYPED_TEST(SixteenByte, ReallocStaysFromThreeQuartersOfTheClassUp) {
  struct Case {
    std::size_t from, to;
    bool stays;
  };
  for (const Case& c :
       {Case{512, 385, true}, Case{512, 384, false}, Case{112, 85, true},
        Case{112, 84, false}, Case{16, 13, true}, Case{16, 12, false},
        Case{32, 25, true}, Case{32, 24, false}, Case{32, 17, false},
        Case{48, 37, true}, Case{48, 36, false}, Case{48, 33, false},
        Case{1, 10, false}, Case{1, 16, true}, Case{1, 13, true},
        Case{100, 112, true}, Case{100, 113, false}, Case{512, 512, true}}) {
    NamedHeap<TypeParam> h;
    void* block = h.heap.Allocate(c.from);
    EXPECT_EQ(h.heap.Reallocate(block, c.to) == block, c.stays)
        << c.from << " to " << c.to;
    CheckHeap(h.heap);
  }
}

TYPED_TEST(SixteenByte, ReallocInTheSameClassTakesTheNextBlockFirst) {
  NamedHeap<TypeParam> h;
  void* block = h.heap.Allocate(16);
  void* moved = h.heap.Reallocate(block, 12);
  EXPECT_EQ(h.At(moved), 64u);
  EXPECT_EQ(h.Malloc(16), 48u);  // the old one was freed afterwards
}

TYPED_TEST(SixteenByte, AlignedRequestsUpToTheStepAreOrdinary) {
  NamedHeap<TypeParam> h;
  EXPECT_EQ(h.At(h.heap.AllocateAligned(16, 100)), 48u);
  void* block = h.heap.AllocateAligned(64, 100);
  EXPECT_FALSE(h.heap.Owns(block));
  EXPECT_EQ(reinterpret_cast<std::uint64_t>(block) % 64, 0u);
  h.heap.Free(block);
}

TEST(EightByte, ReallocStaysFromThreeQuartersOfTheClassUp) {
  NamedHeap<Classic> h;
  struct Case {
    std::size_t from, to;
    bool stays;
  };
  for (const Case& c :
       {Case{8, 7, true}, Case{8, 6, false}, Case{16, 13, true},
        Case{16, 12, false}, Case{16, 9, false}, Case{24, 19, true},
        Case{24, 18, false}, Case{24, 17, false}}) {
    void* block = h.heap.Allocate(c.from);
    EXPECT_EQ(h.heap.Reallocate(block, c.to) == block, c.stays)
        << c.from << " to " << c.to;
  }
}

template <class G>
class EveryGeneration : public testing::Test {};
using Generations = testing::Types<Cpython23, Cpython242, Cpython25, Classic,
                                   Cpython374, Cpython38, Cpython39, Cpython310,
                                   Cpython311, Cpython315HugePages>;
TYPED_TEST_SUITE(EveryGeneration, Generations);

TYPED_TEST(EveryGeneration, ZeroBytesAndTooManyAreRaw) {
  NamedHeap<TypeParam> h;
  constexpr std::size_t kMax = TypeParam::kGeometry.max_small_bytes;
  EXPECT_EQ(h.Malloc(0), h.kRaw);
  EXPECT_EQ(h.Malloc(kMax + 1), h.kRaw);
  EXPECT_EQ(h.arenas.created(), 0u);
  EXPECT_NE(h.Malloc(kMax), h.kRaw);
  EXPECT_NE(h.Malloc(1), h.kRaw);
  EXPECT_NE(h.heap.Allocate(0), h.blocks[0]);
  EXPECT_EQ(h.heap.ComputeStatistics().raw_blocks, 3u);
}

TYPED_TEST(EveryGeneration, ReallocToZeroLeavesForTheRawHeap) {
  NamedHeap<TypeParam> h;
  void* block = h.heap.Allocate(40);
  void* moved = h.heap.Reallocate(block, 0);
  EXPECT_FALSE(h.heap.Owns(moved));
  EXPECT_EQ(h.Malloc(40), 48u);
  h.heap.Free(moved);
}

TYPED_TEST(EveryGeneration, RawBlocksComeBackOnlyWhereReallocTakesOver) {
  NamedHeap<TypeParam> h;
  constexpr bool kTakesOver = TypeParam::kPolicy.realloc_takes_over;
  EXPECT_EQ(kTakesOver, TypeParam::kName == "cpython-2.3");
  auto* block = static_cast<char*>(h.heap.Allocate(1000));
  for (int i = 0; i < 1000; ++i) block[i] = static_cast<char>(i);
  // 257 bytes are raw in the generations of 256, and the rest never returns.
  void* larger = h.heap.Reallocate(block, 600);
  EXPECT_FALSE(h.heap.Owns(larger));
  auto* smaller = static_cast<char*>(h.heap.Reallocate(larger, 100));
  EXPECT_EQ(h.heap.Owns(smaller), kTakesOver);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(smaller[i], static_cast<char>(i));
  EXPECT_EQ(h.heap.ComputeStatistics().raw_blocks, kTakesOver ? 0u : 1u);
  h.heap.Free(smaller);
  // A raw block smaller than what is asked for.
  void* empty = h.heap.Reallocate(h.heap.Allocate(0), 200);
  EXPECT_EQ(h.heap.Owns(empty), kTakesOver);
  h.heap.Free(empty);
  // And to zero bytes: one byte, of a pool where it takes over.
  void* none = h.heap.Reallocate(h.heap.Allocate(600), 0);
  EXPECT_EQ(h.heap.Owns(none), kTakesOver);
  h.heap.Free(none);
  EXPECT_EQ(h.heap.ComputeStatistics().raw_blocks, 0u);
}

TYPED_TEST(EveryGeneration, ReallocKeepsTheContentAndNullIsAllocate) {
  NamedHeap<TypeParam> h;
  auto* block = static_cast<unsigned char*>(h.heap.Reallocate(nullptr, 5));
  EXPECT_EQ(h.At(block), 48u);
  std::size_t old = 5;
  for (std::size_t i = 0; i < old; ++i) block[i] = 0x30 + i;
  for (std::size_t bytes : {16, 200, 30, 700, 90, 6}) {
    block = static_cast<unsigned char*>(h.heap.Reallocate(block, bytes));
    for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(block[i], 0x30 + i);
  }
  h.heap.Free(block);
  h.heap.Free(nullptr);
}

TYPED_TEST(EveryGeneration, CallocZeroesWhatWasAskedForAndPlacesLikeMalloc) {
  NamedHeap<TypeParam> h;
  h.heap.Allocate(100);  // keeps the arena
  auto* block = static_cast<unsigned char*>(h.heap.Allocate(40));
  std::memset(block, 0xFF, 40);
  h.heap.Free(block);
  auto* zeroed = static_cast<unsigned char*>(h.heap.AllocateZeroed(3, 11));
  EXPECT_EQ(zeroed, block);
  for (int i = 0; i < 33; ++i) EXPECT_EQ(zeroed[i], 0) << i;
  EXPECT_EQ(zeroed[33], 0xFF) << "only the 33 bytes asked for";
  EXPECT_FALSE(h.heap.Owns(h.heap.AllocateZeroed(0, 8)));
  EXPECT_FALSE(h.heap.Owns(h.heap.AllocateZeroed(8, 0)));
  EXPECT_EQ(h.heap.AllocateZeroed(~std::size_t{0} / 2, 3), nullptr);
  EXPECT_EQ(h.heap.AllocateZeroed(std::size_t{1} << 62, 4), nullptr);
}

TYPED_TEST(EveryGeneration, MoreThanHalfTheAddressSpaceIsRefused) {
  NamedHeap<TypeParam> h;
  constexpr std::size_t kHuge = ~std::size_t{0} / 2 + 1;
  EXPECT_EQ(h.heap.Allocate(kHuge), nullptr);
  EXPECT_EQ(h.heap.Allocate(~std::size_t{0}), nullptr);
  EXPECT_EQ(h.heap.AllocateAligned(64, kHuge), nullptr);
  void* block = h.heap.Allocate(40);
  EXPECT_EQ(h.heap.Reallocate(block, kHuge), nullptr);
  EXPECT_TRUE(h.heap.Owns(block)) << "a failed realloc leaves the block";
  h.heap.Free(block);
  EXPECT_EQ(h.heap.ComputeStatistics().raw_blocks, 0u);
}

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
