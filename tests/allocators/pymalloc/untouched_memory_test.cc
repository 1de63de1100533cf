// Invariant P4: the heap writes nothing into an arena that CPython does not.
//
// Arenas are filled with a pattern before they are handed out. By the account
// of what CPython writes, an allocation may change the header of the block's
// pool, the block's first word, and the first word of the last block before the
// pool's frontier (linked ahead); a free changes words that an allocation did.
// Every other byte must still be the pattern.
#include <gtest/gtest.h>

#include <cstring>
#include <unordered_set>
#include <utility>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tests/allocators/pymalloc/golden_stream.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

constexpr unsigned char kPattern = 0xA7;

// The bytes of each arena that may have changed.
class Account {
 public:
  template <class G>
  void Allocated(const Heap<G>& heap, const void* block) {
    const std::uint64_t address = AddressOf(block);
    const std::uint64_t pool = address & ~(heap.geometry().pool_bytes - 1);
    const PoolHeader& header = *PoolAt(pool);
    ASSERT_TRUE(heap.Owns(block));
    Allow(pool, sizeof(PoolHeader));
    Allow(address, sizeof(std::uint64_t));
    Allow(pool + header.next_offset -
              BlockSize(heap.geometry(), header.size_class),
          sizeof(std::uint64_t));
  }

  // Bytes of live arenas that changed and had no right to.
  template <class G>
  std::size_t Excess(const Heap<G>& heap) const {
    std::size_t excess = 0;
    heap.VisitArenas([&](const ArenaView& arena) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(arena.base);
      for (std::size_t i = 0; i < heap.geometry().arena_bytes; ++i)
        excess += bytes[i] != kPattern && !allowed_.contains(arena.base + i);
    });
    return excess;
  }

 private:
  void Allow(std::uint64_t address, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) allowed_.insert(address + i);
  }

  std::unordered_set<std::uint64_t> allowed_;
};

template <class G>
class UntouchedMemory : public testing::Test {};
using Generations =
    testing::Types<Cpython23, Cpython242, Cpython25, Classic, Cpython374,
                   Cpython38, Cpython39, Cpython310, Cpython311,
                   Cpython315HugePages, RuntimeGeneration>;
TYPED_TEST_SUITE(UntouchedMemory, Generations);

TYPED_TEST(UntouchedMemory, OnlyHeadersAndLinksAreWritten) {
  for (int placement : {0, 1}) {
    SlotArenaSource arenas(placement);
    arenas.FillWith(kPattern);
    HeapOptions options;
    options.arena_source = arenas.source();
    Heap<TypeParam> heap(options);
    Account account;
    Draws draws;
    std::vector<void*> slots(4000, nullptr);
    for (int step = 0; step < 30000; ++step) {
      void*& slot = slots[draws.Next() % slots.size()];
      if (slot == nullptr) {
        slot = heap.Allocate(1 + draws.Next() % 256);
        account.Allocated(heap, slot);
      } else {
        heap.Free(std::exchange(slot, nullptr));
      }
      if (step % 10000 == 9999) {
        EXPECT_EQ(account.Excess(heap), 0u) << step;
      }
    }
    EXPECT_GE(arenas.live(), 1u);
    for (void* slot : slots) heap.Free(slot);
    EXPECT_EQ(account.Excess(heap), 0u) << "after the drain";
  }
}

// The account is no blank cheque: one byte at the frontier is seen.
TEST(Account, SeesAByteWrittenPastTheFrontier) {
  SlotArenaSource arenas;
  arenas.FillWith(kPattern);
  HeapOptions options;
  options.arena_source = arenas.source();
  Heap<Cpython311> heap(options);
  Account account;
  void* block = heap.Allocate(64);
  account.Allocated(heap, block);
  EXPECT_EQ(account.Excess(heap), 0u);
  static_cast<unsigned char*>(block)[2 * 64] = 0;
  EXPECT_EQ(account.Excess(heap), 1u);
}

TYPED_TEST(UntouchedMemory, ANewArenaIsNotTouchedBeyondTheFirstPool) {
  SlotArenaSource arenas;
  arenas.FillWith(kPattern);
  HeapOptions options;
  options.arena_source = arenas.source();
  Heap<TypeParam> heap(options);
  heap.Allocate(64);
  const auto* bytes = reinterpret_cast<unsigned char*>(arenas.ArenaBase(0));
  // Header, then a block never written, then the link of the next one.
  for (std::size_t i = 48; i < heap.geometry().arena_bytes; ++i) {
    const bool link = i >= 48 + 64 && i < 48 + 64 + 8;
    ASSERT_EQ(bytes[i], link ? 0 : kPattern) << i;
  }
}

}  // namespace
}  // namespace arenalab
