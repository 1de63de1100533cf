// Sizes and classes: every size is in the smallest class that holds it, and
// capacities are those that interpreters report.
#include "allocators/pymalloc/size_class.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>

#include "allocators/pymalloc/generation.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

// Class by class: blocks in a 4 KiB and in a 16 KiB pool, and the tail of each.
struct Capacity {
  std::size_t small, small_tail, large, large_tail;
};
constexpr Capacity kCapacities[] = {
    {253, 0, 1021, 0},  {126, 16, 510, 16}, {84, 16, 340, 16},
    {63, 16, 255, 16},  {50, 48, 204, 16},  {42, 16, 170, 16},
    {36, 16, 145, 96},  {31, 80, 127, 80},  {28, 16, 113, 64},
    {25, 48, 102, 16},  {23, 0, 92, 144},   {21, 16, 85, 16},
    {19, 96, 78, 112},  {18, 16, 72, 208},  {16, 208, 68, 16},
    {15, 208, 63, 208}, {14, 240, 60, 16},  {14, 16, 56, 208},
    {13, 96, 53, 224},  {12, 208, 51, 16},  {12, 16, 48, 208},
    {11, 176, 46, 144}, {11, 0, 44, 144},   {10, 208, 42, 208},
    {10, 48, 40, 336},  {9, 304, 39, 112},  {9, 160, 37, 352},
    {9, 16, 36, 208},   {8, 336, 35, 96},   {8, 208, 34, 16},
    {8, 80, 32, 464},   {7, 464, 31, 464}};

TEST(SizeClass, CapacitiesAndTailsOfTheSixteenByteGenerations) {
  ASSERT_EQ(std::size(kCapacities), Cpython39::kGeometry.classes);
  for (std::size_t c = 0; c < std::size(kCapacities); ++c) {
    EXPECT_EQ(BlockSize<Cpython39>(c), 16 * (c + 1));
    EXPECT_EQ(BlocksPerPool<Cpython39>(c), kCapacities[c].small);
    EXPECT_EQ(BlocksPerPool<Cpython311>(c), kCapacities[c].large);
    EXPECT_EQ(PoolTailBytes(Cpython39::kGeometry, c),
              kCapacities[c].small_tail);
    EXPECT_EQ(PoolTailBytes(Cpython311::kGeometry, c),
              kCapacities[c].large_tail);
  }
}

TEST(SizeClass, CapacitiesOfTheEightByteGenerations) {
  constexpr std::size_t kRows[][2] = {
      {8, 506},  {16, 253}, {24, 168}, {40, 101}, {56, 72}, {88, 46}, {136, 29},
      {184, 22}, {200, 20}, {264, 15}, {360, 11}, {456, 8}, {504, 8}, {512, 7}};
  for (const auto& [bytes, capacity] : kRows)
    EXPECT_EQ(BlocksPerPool<Classic>(ClassOf(Classic::kGeometry, bytes)),
              capacity)
        << bytes;
}

TEST(SizeClass, EverySizeIsInTheSmallestClassThatHoldsIt) {
  ForEachGeneration([]<class G>() {
    constexpr const GeometryValues& g = G::kGeometry;
    for (std::size_t bytes = 0; bytes <= 600; ++bytes) {
      const bool small = bytes != 0 && bytes <= g.max_small_bytes;
      ASSERT_EQ(IsSmall(g, bytes), small) << G::kName << " " << bytes;
      if (!small) continue;
      const std::size_t c = ClassOf(g, bytes);
      ASSERT_LT(c, g.classes);
      ASSERT_GE(BlockSize(g, c), bytes);
      ASSERT_TRUE(c == 0 || BlockSize(g, c - 1) < bytes);
    }
    EXPECT_FALSE(IsSmall(g, ~std::size_t{0}));
  });
}

// The same through a heap: n bytes come from a block of class n, usable to its
// end, and go back to it.
TEST(SizeClass, EverySizeMakesTheRoundTripThroughEveryHeap) {
  ForEachGeneration([]<class G>() {
    SlotArenaSource arenas;
    HeapOptions options;
    options.arena_source = arenas.source();
    Heap<G> heap(options);
    for (std::size_t bytes = 0; bytes <= 600; ++bytes) {
      void* block = heap.Allocate(bytes);
      ASSERT_NE(block, nullptr);
      const bool small = IsSmall(G::kGeometry, bytes);
      ASSERT_EQ(heap.Owns(block), small) << G::kName << " " << bytes;
      ASSERT_EQ(arenas.PositionOf(block).has_value(), small);
      if (small) {
        const std::size_t size = BlockSize<G>(ClassOf(G::kGeometry, bytes));
        ASSERT_EQ(heap.UsableSize(block), size);
        ASSERT_EQ(heap.ComputeStatistics().allocated_bytes, size);
      } else {
        ASSERT_GE(heap.UsableSize(block), bytes);
        ASSERT_EQ(heap.ComputeStatistics().raw_blocks, 1u);
      }
      std::memset(block, 0xEE, heap.UsableSize(block));
      heap.Free(block);
      ASSERT_EQ(heap.ComputeStatistics().allocated_bytes, 0u);
      ASSERT_EQ(heap.ComputeStatistics().raw_blocks, 0u);
    }
  });
}

TEST(SizeClass, HeaderIs48BytesWhateverTheAlignment) {
  ForEachGeneration([]<class G>() {
    EXPECT_EQ(G::kGeometry.header_bytes, 48u) << G::kName;
    EXPECT_EQ(PoolsPerArena(G::kGeometry),
              G::kName == "cpython-3.15-hugepages" ? 128u : 64u);
  });
}

}  // namespace
}  // namespace arenalab
