// Which requests are pymalloc's, what realloc and calloc do with a block: each
// rule by itself, on every generation that has it.
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

}  // namespace
}  // namespace arenalab
