// Settings: what they mean, what is refused and how it is said; and the heap of
// run-time values gives the golden addresses of every named generation.
#include "allocators/pymalloc/runtime_generation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "allocators/pymalloc/heap_check.h"
#include "tests/allocators/pymalloc/golden_stream.h"

namespace arenalab {
namespace {

using RuntimeHeap = Heap<RuntimeGeneration>;

HeapSettings Read(std::string_view text) {
  HeapSettings settings{};
  EXPECT_EQ(ReadHeapSettings(text, &settings), nullptr) << text;
  return settings;
}

TEST(HeapSettings, NothingIsTheNewestGeneration) {
  EXPECT_EQ(Read("").geometry, Cpython311::kGeometry);
  EXPECT_EQ(Read("").policy, Cpython311::kPolicy);
}

TEST(HeapSettings, AGeometryAloneIsThatGeneration) {
  ForEachGeneration([]<class G>() {
    const HeapSettings s = Read("geometry:" + std::string(G::kName));
    EXPECT_EQ(s.geometry, G::kGeometry) << G::kName;
    EXPECT_EQ(s.policy, G::kPolicy) << G::kName;
  });
}

TEST(HeapSettings, EveryKeyIsTakenInAnyOrder) {
  const HeapSettings s = Read(
      "free_list:address,pool_bytes:8192,keep_arenas:3,arena_bytes:524288,"
      "alignment:32,max_small_bytes:1024,arena_choice:emptiest,"
      "pool_choice:fullest,madvise_free_pools:1,geometry:cpython-3.9");
  EXPECT_EQ(s.geometry, MakeGeometry(512 * kKiB, 8 * kKiB, 32, 1024));
  EXPECT_EQ(s.geometry.header_bytes, 64u) << "blocks are aligned to 32";
  EXPECT_EQ(s.policy.keep_arenas, 3u);
  EXPECT_EQ(s.policy.arena_choice, ArenaChoice::kEmptiest);
  EXPECT_EQ(s.policy.pool_choice, PoolChoice::kFullest);
  EXPECT_EQ(s.policy.free_list, FreeList::kAddress);
  EXPECT_TRUE(s.policy.discard_free_pools);
  EXPECT_EQ(s.policy.address_test, AddressTest::kRadixTree)
      << "the index cannot find pools of 8 KiB";
}

TEST(HeapSettings, WhatCannotBeIsRefusedWithItsKey) {
  struct Case {
    const char* settings;
    const char* begins;
  };
  for (const Case& c : {
           Case{"nonsense:1", "no such key"},
           Case{"geometry", "geometry: "},
           Case{"geometry:cpython-9.9", "geometry: "},
           Case{"geometry:classic,geometry:classic", "a key stands twice"},
           Case{"arena_bytes:many", "arena_bytes: "},
           Case{"arena_bytes:-1", "arena_bytes: "},
           Case{"arena_bytes:300000", "arena_bytes: a power"},
           Case{"arena_bytes:8192", "arena_bytes: a power"},
           Case{"arena_bytes:2147483648", "arena_bytes: a power"},
           Case{"arena_bytes:32768", "arena_bytes: an arena must"},
           Case{"arena_bytes:33554432", "arena_bytes: an arena must"},
           Case{"pool_bytes:512", "pool_bytes: "},
           Case{"pool_bytes:5000", "pool_bytes: "},
           Case{"pool_bytes:524288", "pool_bytes: "},
           Case{"alignment:24", "alignment: "},
           Case{"alignment:4", "alignment: "},
           Case{"alignment:128", "alignment: "},
           Case{"max_small_bytes:500", "max_small_bytes: a multiple"},
           Case{"max_small_bytes:0", "max_small_bytes: a multiple"},
           Case{"alignment:8,max_small_bytes:2048",
                "max_small_bytes: at most 128"},
           Case{"geometry:cpython-3.9,pool_bytes:1024",
                "max_small_bytes: two blocks"},
           Case{"keep_arenas:-1", "keep_arenas: "},
           Case{"keep_arenas:all", "keep_arenas: "},
           Case{"arena_choice:best", "arena_choice: "},
           Case{"pool_choice:emptiest", "pool_choice: "},
           Case{"free_list:fifo", "free_list: "},
           Case{"madvise_free_pools:yes", "madvise_free_pools: 0"},
           Case{"geometry:cpython-3.9,madvise_free_pools:1",
                "madvise_free_pools: pools"},
           Case{"address_test:magic", "address_test: index"},
           Case{"address_test:index", "address_test: the index"},
           Case{"geometry:cpython-2.3,keep_arenas:1", "keep_arenas"},
           Case{"geometry:cpython-2.4,arena_choice:address", "keep_arenas"},
       }) {
    const char* error = RuntimeHeap::CheckSettings(c.settings);
    ASSERT_NE(error, nullptr) << c.settings;
    EXPECT_EQ(std::string_view(error).substr(0, strlen(c.begins)), c.begins)
        << c.settings;
  }
}

TEST(HeapSettings, NamedHeapsHaveNone) {
  EXPECT_TRUE(requires { RuntimeHeap::CheckSettings(""); });
  EXPECT_FALSE([]<class H>(H*) {
    return requires { H::CheckSettings(""); };
  }(static_cast<Heap<Cpython311>*>(nullptr)));
}

TEST(VisitHeapOfSettings, NamesGetTheirOwnHeapAndKeysTheRuntimeOne) {
  const auto name = [](std::string_view settings) {
    std::string_view found;
    VisitHeapOfSettings(settings, [&]<class H>() { found = H::kName; });
    return found;
  };
  EXPECT_EQ(name(""), "cpython-3.11");
  EXPECT_EQ(name("geometry:cpython-3.6"), "classic");
  EXPECT_EQ(name("geometry:cpython-3.9,keep_arenas:0"), "pymalloc");
  EXPECT_EQ(name("keep_arenas:0"), "pymalloc");
  EXPECT_EQ(name("geometry:none"), "pymalloc") << "whose check says why";
}

// The same template, but every constant is a variable now. The named heaps are
// held against real allocators in golden_test.cc.
TEST(RuntimeHeap, EveryGoldenStreamIsThatOfTheNamedHeap) {
  ForEachGeneration([]<class G>() {
    HeapOptions options;
    const std::string settings = "geometry:" + std::string(G::kName);
    options.settings = settings;
    for (int stream : {1, 2, 3})
      for (int placement : {0, 1}) {
        const std::size_t fill = PoolsPerArena(G::kGeometry) *
                                 BlocksPerPool<G>(G::kGeometry.classes - 1);
        const StreamResult named =
            RunGoldenStream<Heap<G>>(stream, placement, fill);
        const StreamResult runtime =
            RunGoldenStream<RuntimeHeap>(stream, placement, fill, options);
        EXPECT_EQ(runtime.log.hash(), named.log.hash())
            << G::kName << " stream " << stream << " placement " << placement;
      }
  });
}

// 3.11 is 3.9 with four times the sizes: the values alone make the difference.
TEST(RuntimeHeap, ValuesAloneTurnOneGenerationIntoAnother) {
  HeapOptions options;
  options.settings =
      "geometry:cpython-3.9,arena_bytes:1048576,pool_bytes:16384";
  EXPECT_EQ(RunGoldenStream<RuntimeHeap>(2, 1, 0, options).log.hash(),
            0x6352298585ffccfbu);
  options.settings =
      "geometry:cpython-3.11,arena_bytes:262144,pool_bytes:4096,keep_arenas:0,"
      "alignment:8,address_test:index";
  EXPECT_EQ(RunGoldenStream<RuntimeHeap>(2, 0, 0, options).log.hash(),
            0xad829edef91a9a32u)
      << "classic";
}

// Each experiment does what its name says, on one small example.
class Experiment {
 public:
  explicit Experiment(const char* settings) : heap(Options(settings)) {
    EXPECT_EQ(RuntimeHeap::CheckSettings(settings), nullptr);
  }
  void* Malloc(std::size_t bytes) {
    blocks.push_back(heap.Allocate(bytes));
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

}  // namespace
}  // namespace arenalab
