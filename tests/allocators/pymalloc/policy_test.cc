// Each policy does what its name says, on one small example computed by hand.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "allocators/pymalloc/heap_check.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

using RuntimeHeap = Heap<RuntimeGeneration>;

// A heap of these settings on 3.11's geometry: arenas of 64 pools of 16 KiB, 31
// blocks of 512 bytes a pool, 255 of 64.
class Experiment {
 public:
  explicit Experiment(const char* settings) : heap(Options(settings)) {
    EXPECT_EQ(RuntimeHeap::CheckSettings(settings), nullptr);
  }
  void* Malloc(std::size_t bytes) {
    blocks.push_back(heap.Allocate(bytes));
    return blocks.back();
  }
  void* Malloc(std::size_t bytes, const RequestHint& hint) {
    blocks.push_back(heap.AllocateHinted(bytes, hint));
    return blocks.back();
  }
  Position At(const void* block) const { return *arenas.PositionOf(block); }

  SlotArenaSource arenas;
  std::vector<void*> blocks;
  RuntimeHeap heap;

 private:
  HeapOptions Options(const char* settings) {
    HeapOptions options;
    options.arena_source = arenas.source();
    options.arena_source.discard = [](void*, void* address, std::size_t bytes) {
      std::memset(address, 0xDD, bytes);
    };
    options.settings = settings;
    return options;
  }
};

TEST(Experiments, FreeListByAddressGivesTheLowestBlock) {
  Experiment e("free_list:address");
  for (int i = 0; i < 6; ++i) e.Malloc(64);
  for (int i : {3, 1, 4}) e.heap.Free(e.blocks[i]);
  for (int i : {1, 3, 4}) EXPECT_EQ(e.heap.Allocate(64), e.blocks[i]);
  CheckHeap(e.heap);
}

TEST(Experiments, PoolByAddressGivesTheLowestPool) {
  Experiment e("pool_choice:address");
  constexpr std::size_t kPerPool = 31;
  for (std::size_t i = 0; i < 4 * kPerPool; ++i) e.Malloc(512);
  for (std::size_t pool : {2, 0, 1}) e.heap.Free(e.blocks[pool * kPerPool]);
  CheckHeap(e.heap);
  for (std::size_t pool : {0, 1, 2})
    EXPECT_EQ(e.heap.Allocate(512), e.blocks[pool * kPerPool]);
}

TEST(Experiments, FullestPoolGivesFirst) {
  Experiment e("pool_choice:fullest");
  constexpr std::size_t kPerPool = 31;
  for (std::size_t i = 0; i < 3 * kPerPool; ++i) e.Malloc(512);
  for (std::size_t i : {0, 1, 2}) e.heap.Free(e.blocks[i]);
  e.heap.Free(e.blocks[kPerPool]);
  for (std::size_t i : {0, 1}) e.heap.Free(e.blocks[2 * kPerPool + i]);
  CheckHeap(e.heap);
  EXPECT_EQ(e.heap.Allocate(512), e.blocks[kPerPool]);
  EXPECT_EQ(e.heap.Allocate(512), e.blocks[2 * kPerPool + 1]);
}

// Three full arenas of 512-byte blocks; arena 0 gets 2 free pools, then 2 gets
// 1, then 1 gets 3: whose pool comes next?
std::uint64_t NextArena(const char* choice) {
  Experiment e(choice);
  constexpr std::size_t kPerPool = 31, kPerArena = 64 * kPerPool;
  for (std::size_t i = 0; i < 3 * kPerArena; ++i) e.Malloc(512);
  const auto free_pools = [&](std::size_t arena, std::size_t count) {
    for (std::size_t i = 0; i < count * kPerPool; ++i)
      e.heap.Free(e.blocks[arena * kPerArena + i]);
    CheckHeap(e.heap);
  };
  free_pools(0, 2);
  free_pools(2, 1);
  free_pools(1, 3);
  const std::uint64_t next = e.At(e.heap.Allocate(16)).arena;
  CheckHeap(e.heap);
  return next;
}

TEST(Experiments, ArenaChoice) {
  EXPECT_EQ(NextArena("arena_choice:fullest"), 2u);
  EXPECT_EQ(NextArena("arena_choice:address"), 0u);
  EXPECT_EQ(NextArena("arena_choice:recent"), 1u);
  EXPECT_EQ(NextArena("arena_choice:emptiest"), 1u);
}

TEST(Experiments, KeepArenasKeepsThatMany) {
  for (const char* choice : {"fullest", "address", "recent", "emptiest"})
    for (std::uint64_t keep : {0, 1, 2, 3, 9}) {
      const std::string settings =
          "keep_arenas:" + std::to_string(keep) + ",arena_choice:" + choice;
      Experiment e(settings.c_str());
      constexpr std::size_t kBlocks = 4 * 64 * 31;
      for (std::size_t i = 0; i < kBlocks; ++i) e.Malloc(512);
      for (void* block : e.blocks) e.heap.Free(block);
      CheckHeap(e.heap);
      EXPECT_EQ(e.arenas.live(), std::min<std::uint64_t>(keep, 4)) << settings;
    }
}

TEST(Experiments, DiscardedPoolsAreSetUpAnew) {
  Experiment e("madvise_free_pools:1");
  for (int i = 0; i < 3; ++i) e.Malloc(512);
  e.heap.Allocate(16);
  for (int i : {0, 2, 1}) e.heap.Free(e.blocks[i]);
  CheckHeap(e.heap);
  // All but the page of the header: the source filled it.
  const auto* pool = reinterpret_cast<unsigned char*>(e.arenas.ArenaBase(0));
  EXPECT_EQ(pool[4096], 0xDD);
  EXPECT_EQ(pool[16383], 0xDD);
  EXPECT_NE(pool[16384], 0xDD);
  EXPECT_EQ(e.At(e.heap.Allocate(512)).offset, 48u)
      << "not the one that was freed last";
  CheckHeap(e.heap);
}

TEST(Experiments, DiscardedPagesAreNotResident) {
  HeapOptions options;
  options.settings = "madvise_free_pools:1";
  RuntimeHeap heap(options);
  std::vector<char*> blocks;
  for (int i = 0; i < 31; ++i) {
    blocks.push_back(static_cast<char*>(heap.Allocate(512)));
    std::memset(blocks.back(), 1, 512);
  }
  heap.Allocate(16);
  char* page = blocks[0] - 48 + 4096;
  unsigned char resident = 0;
  ASSERT_EQ(mincore(page, 4096, &resident), 0);
  EXPECT_EQ(resident & 1, 1);
  for (char* block : blocks) heap.Free(block);
  ASSERT_EQ(mincore(page, 4096, &resident), 0);
  EXPECT_EQ(resident & 1, 0);
}

// --- Decay -------------------------------------------------------------------

// Two arenas of 512-byte blocks, both freed: both are kept.
constexpr std::size_t kPerPool = 31;
void FillAndEmptyTwoArenas(Experiment* e) {
  for (std::size_t i = 0; i < 2 * 64 * kPerPool; ++i) e->Malloc(512);
  for (void* block : e->blocks) e->heap.Free(block);
  ASSERT_EQ(e->arenas.live(), 2u);
}

// The clock is looked at when a pool is taken: at the request after the 31st,
// 32 * 512 bytes have been asked for since.
TEST(Decay, AKeptArenaGoesAfterThatManyBytes) {
  Experiment e("keep_arenas:2,decay_bytes:16384");
  FillAndEmptyTwoArenas(&e);
  for (std::size_t i = 0; i < kPerPool; ++i) e.heap.Allocate(512);
  EXPECT_EQ(e.arenas.live(), 2u);
  e.heap.Allocate(512);
  EXPECT_EQ(e.arenas.live(), 1u);
  CheckHeap(e.heap);
}

TEST(Decay, NotAByteEarlier) {
  Experiment e("keep_arenas:2,decay_bytes:16385");
  FillAndEmptyTwoArenas(&e);
  for (std::size_t i = 0; i < 2 * kPerPool; ++i) e.heap.Allocate(512);
  EXPECT_EQ(e.arenas.live(), 2u);
  e.heap.Allocate(512);
  EXPECT_EQ(e.arenas.live(), 1u);
}

// A block of 16 bytes keeps time, too: what counts is the block, not the
// request.
TEST(Decay, CountsBlocksNotRequests) {
  Experiment e("keep_arenas:2,decay_bytes:16384");
  FillAndEmptyTwoArenas(&e);
  for (std::size_t i = 0; i < kPerPool; ++i) e.heap.Allocate(497);
  EXPECT_EQ(e.arenas.live(), 2u);
  e.heap.Allocate(497);
  EXPECT_EQ(e.arenas.live(), 1u);
}

TEST(Decay, AnArenaThatIsUsedAgainBeginsAnew) {
  Experiment e("keep_arenas:1,decay_bytes:16384");
  for (int round = 0; round < 100; ++round) {
    e.heap.Free(e.heap.Allocate(512));
    ASSERT_EQ(e.arenas.live(), 1u) << round;
  }
  EXPECT_EQ(e.arenas.created(), 1u);
  CheckHeap(e.heap);
}

// --- Lanes -------------------------------------------------------------------

RequestHint Lifetime(std::uint8_t log2) { return {.lifetime_log2 = log2}; }

TEST(Lanes, BlocksOfTwoLanesShareNoPool) {
  Experiment e("lanes:lifetime");
  constexpr std::uint64_t kPool = 16384;
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(3))).offset, 48u);
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(20))).offset, kPool + 48);
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(3))).offset, 112u);
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(20))).offset, kPool + 112);
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(kImmortalLog2))).offset, 2 * kPool + 48);
  CheckHeap(e.heap);
}

TEST(Lanes, WithoutLanesAHintIsIgnored) {
  Experiment e("lanes:none");
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(3))).offset, 48u);
  EXPECT_EQ(e.At(e.Malloc(64, Lifetime(20))).offset, 112u);
}

TEST(Lanes, WithoutAHintThereIsTheFirst) {
  Experiment e("lanes:lifetime");
  e.Malloc(64, Lifetime(0));
  e.Malloc(64, Lifetime(5));
  EXPECT_EQ(e.At(e.Malloc(64)).offset, 112u);
}

TEST(Lanes, AFreedBlockGoesBackToItsLane) {
  Experiment e("lanes:domain");
  const RequestHint mem{.domain = 1}, object{.domain = 2};
  void* a = e.Malloc(64, mem);
  e.Malloc(64, mem);
  e.Malloc(64, object);
  e.heap.Free(a);
  EXPECT_NE(e.heap.AllocateHinted(64, object), a);
  EXPECT_EQ(e.heap.AllocateHinted(64, mem), a);
  CheckHeap(e.heap);
}

// A full pool is in no list; its header says which one it belongs to.
TEST(Lanes, AFullPoolComesBackToItsLane) {
  Experiment e("lanes:state");
  for (std::size_t i = 0; i < kPerPool; ++i) e.Malloc(512, {.state = 9});
  e.heap.Free(e.blocks[7]);
  CheckHeap(e.heap);
  EXPECT_NE(e.heap.AllocateHinted(512, {.state = 8}), e.blocks[7]);
  EXPECT_EQ(e.heap.AllocateHinted(512, {.state = 9}), e.blocks[7]);
}

TEST(Lanes, AnEmptyPoolIsEveryLanes) {
  Experiment e("lanes:thread");
  void* a = e.Malloc(64, {.thread = 1});
  e.Malloc(16, {.thread = 1});  // or the arena would be wholly free
  e.heap.Free(a);
  EXPECT_EQ(e.heap.AllocateHinted(64, {.thread = 2}), a);
  CheckHeap(e.heap);
}

TEST(Lanes, TheSixtyFifthThreadSharesTheFirstOnes) {
  Experiment e("lanes:thread");
  e.Malloc(64, {.thread = 0});
  EXPECT_EQ(e.At(e.Malloc(64, {.thread = 63})).offset, 16384u + 48);
  EXPECT_EQ(e.At(e.Malloc(64, {.thread = 64})).offset, 112u);
}

TEST(Lanes, ReallocMovesToTheLaneOfItsHintOrStays) {
  Experiment e("lanes:lifetime");
  void* a = e.Malloc(64, Lifetime(1));
  EXPECT_EQ(e.heap.ReallocateHinted(a, 60, Lifetime(9)), a) << "in place";
  void* b = e.heap.ReallocateHinted(a, 100, Lifetime(9));
  e.Malloc(112, Lifetime(1));
  EXPECT_EQ(AddressOf(e.heap.AllocateHinted(112, Lifetime(9))),
            AddressOf(b) + 112);
  CheckHeap(e.heap);
}

TEST(Lanes, CallocHasThemToo) {
  Experiment e("lanes:domain");
  e.Malloc(64, {.domain = 2});
  EXPECT_EQ(e.At(e.heap.AllocateZeroedHinted(1, 64, {.domain = 1})).offset,
            16384u + 48);
  EXPECT_EQ(e.At(e.heap.AllocateZeroedHinted(1, 64, {.domain = 2})).offset,
            112u);
}

}  // namespace
}  // namespace arenalab
