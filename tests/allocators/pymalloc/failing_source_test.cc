// Sources that fail at any call: the request goes to the raw source, the heap
// stays whole, and what was had before the failure is given back.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_check.h"
#include "tests/allocators/pymalloc/golden_stream.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

// The C library's allocation of tables, failing at one call or from it on.
struct FailingMetadata {
  std::uint64_t fail_at = ~std::uint64_t{0};
  bool from_then_on = false;
  std::uint64_t calls = 0;
  std::int64_t live = 0;

  bool Fails() {
    const std::uint64_t call = calls++;
    return call == fail_at || (call > fail_at && from_then_on);
  }
  RawSource source() {
    RawSource source{};
    source.context = this;
    source.allocate_zeroed = [](void* self, std::size_t n, std::size_t bytes) {
      auto* metadata = static_cast<FailingMetadata*>(self);
      if (metadata->Fails()) return static_cast<void*>(nullptr);
      ++metadata->live;
      return std::calloc(n, bytes);
    };
    source.reallocate = [](void* self, void* p, std::size_t bytes) {
      auto* metadata = static_cast<FailingMetadata*>(self);
      if (metadata->Fails()) return static_cast<void*>(nullptr);
      metadata->live += p == nullptr;
      return std::realloc(p, bytes);
    };
    source.free = [](void* self, void* p) {
      static_cast<FailingMetadata*>(self)->live -= p != nullptr;
      std::free(p);
    };
    return source;
  }
};

// Four arenas, all but full, from blocks of 512 bytes, their content checked.
template <class G>
void FillAndDrain(HeapOptions options, std::uint64_t* raw_blocks) {
  constexpr std::size_t kBytes = G::kGeometry.max_small_bytes;
  const std::size_t blocks = 4 * PoolsPerArena(G::kGeometry) *
                             BlocksPerPool<G>(G::kGeometry.classes - 1);
  Heap<G> heap(options);
  std::vector<unsigned char*> all;
  for (std::size_t i = 0; i < blocks; ++i) {
    auto* block = static_cast<unsigned char*>(heap.Allocate(kBytes));
    ASSERT_NE(block, nullptr);
    std::memset(block, static_cast<int>(i % 251), kBytes);
    all.push_back(block);
  }
  CheckHeap(heap);
  *raw_blocks = heap.ComputeStatistics().raw_blocks;
  for (std::size_t i = 0; i < blocks; ++i) {
    ASSERT_EQ(all[i][0], i % 251);
    ASSERT_EQ(all[i][kBytes - 1], i % 251);
    if (i % 3 == 0) {  // and a realloc has to tell ours from raw
      all[i] = static_cast<unsigned char*>(heap.Reallocate(all[i], 100));
      ASSERT_EQ(all[i][99], i % 251);
    }
    heap.Free(all[i]);
  }
  EXPECT_EQ(heap.ComputeStatistics().raw_blocks, 0u);
  CheckHeap(heap);
}

template <class G>
class FailingSource : public testing::Test {};
using Generations = testing::Types<Cpython23, Cpython242, Cpython25, Classic,
                                   Cpython374, Cpython38, Cpython39, Cpython310,
                                   Cpython311, Cpython315HugePages>;
TYPED_TEST_SUITE(FailingSource, Generations);

TYPED_TEST(FailingSource, ArenaSourceAtEachCallOnce) {
  for (std::uint64_t n = 0; n < 4; ++n) {
    SCOPED_TRACE(n);
    SlotArenaSource arenas(1);
    arenas.FailAt(n, false);
    HeapOptions options;
    options.arena_source = arenas.source();
    std::uint64_t raw_blocks = 0;
    FillAndDrain<TypeParam>(options, &raw_blocks);
    EXPECT_EQ(raw_blocks, 1u) << "the one request that needed that arena";
    EXPECT_EQ(arenas.live(), 0u);
  }
}

TYPED_TEST(FailingSource, ArenaSourceFromEachCallOn) {
  for (std::uint64_t n = 0; n < 4; ++n) {
    SCOPED_TRACE(n);
    SlotArenaSource arenas;
    arenas.FailAt(n, true);
    HeapOptions options;
    options.arena_source = arenas.source();
    std::uint64_t raw_blocks = 0;
    FillAndDrain<TypeParam>(options, &raw_blocks);
    const std::size_t per_arena =
        PoolsPerArena(TypeParam::kGeometry) *
        BlocksPerPool<TypeParam>(TypeParam::kGeometry.classes - 1);
    EXPECT_EQ(raw_blocks, (4 - n) * per_arena);
  }
}

TYPED_TEST(FailingSource, MetadataAtEachCall) {
  // Arenas across the boundaries of the map's pieces; no call is left out.
  std::uint64_t calls = 1;
  for (bool from_then_on : {false, true})
    for (std::uint64_t n = 0; n < calls; ++n) {
      SCOPED_TRACE(testing::Message() << n << " " << from_then_on);
      SlotArenaSource arenas(1);
      FailingMetadata metadata;
      metadata.fail_at = n;
      metadata.from_then_on = from_then_on;
      HeapOptions options;
      options.arena_source = arenas.source();
      options.metadata_source = metadata.source();
      std::uint64_t raw_blocks = 0;
      FillAndDrain<TypeParam>(options, &raw_blocks);
      EXPECT_GE(raw_blocks, 1u);
      EXPECT_EQ(arenas.live(), 0u);
      EXPECT_EQ(metadata.live, 0);
      if (!from_then_on) calls = metadata.calls - 1;
      EXPECT_GE(metadata.calls, 2u);
    }
}

// After a failure the next arena takes the same slot, and addresses are those
// of a heap that never failed.
TYPED_TEST(FailingSource, AddressesAfterwardsAreAsIfNothingHadHappened) {
  SlotArenaSource arenas, other;
  HeapOptions options;
  options.arena_source = arenas.source();
  Heap<TypeParam> failed(options);
  options.arena_source = other.source();
  Heap<TypeParam> control(options);
  arenas.FailAt(0, false);
  void* raw = failed.Allocate(40);
  EXPECT_FALSE(failed.Owns(raw));
  for (int i = 0; i < 20000; ++i) {
    const std::size_t bytes = 1 + i * 7919 % 256;
    ASSERT_EQ(arenas.PositionOf(failed.Allocate(bytes)),
              other.PositionOf(control.Allocate(bytes)));
  }
  failed.Free(raw);
  CheckHeap(failed);
}

// A growing array of records: 17 arenas need a second, 33 a third one.
TEST(FailingRecords, TheArrayThatCannotGrowLeavesTheOldOne) {
  for (std::uint64_t n : {0, 1, 2}) {
    SlotArenaSource arenas;
    FailingMetadata metadata;
    metadata.fail_at = n;
    metadata.from_then_on = true;
    HeapOptions options;
    options.arena_source = arenas.source();
    options.metadata_source = metadata.source();
    Heap<Cpython39> heap(options);
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 40 * 448; ++i)
      blocks.push_back(heap.Allocate(512));
    EXPECT_EQ(arenas.live(), n == 0 ? 0u : 16u << (n - 1));
    CheckHeap(heap);
    for (void* block : blocks) heap.Free(block);
    EXPECT_LE(arenas.live(), 1u);
  }
}

TEST(FailingRaw, NothingToBeHadIsNullAndKeepsTheBlock) {
  HeapOptions options;
  options.raw_source = {};
  options.raw_source.allocate = [](void*, std::size_t) -> void* {
    return nullptr;
  };
  options.raw_source.allocate_zeroed =
      [](void*, std::size_t, std::size_t) -> void* { return nullptr; };
  options.raw_source.allocate_aligned = options.raw_source.allocate_zeroed;
  Heap<Cpython311> heap(options);
  EXPECT_EQ(heap.Allocate(0), nullptr);
  EXPECT_EQ(heap.Allocate(513), nullptr);
  EXPECT_EQ(heap.AllocateZeroed(1, 513), nullptr);
  EXPECT_EQ(heap.AllocateAligned(32, 8), nullptr);
  auto* block = static_cast<char*>(heap.Allocate(100));
  block[99] = 'x';
  EXPECT_EQ(heap.Reallocate(block, 600), nullptr);
  EXPECT_EQ(heap.Reallocate(block, 0), nullptr);
  EXPECT_EQ(block[99], 'x');
  EXPECT_EQ(heap.ComputeStatistics().raw_blocks, 0u);
  heap.Free(block);
  CheckHeap(heap);
}

}  // namespace
}  // namespace arenalab
