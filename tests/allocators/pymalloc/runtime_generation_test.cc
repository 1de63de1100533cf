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
      "pool_choice:fullest,madvise_free_pools:1,geometry:cpython-3.9,"
      "lanes:thread,decay_bytes:65536");
  EXPECT_EQ(s.geometry, MakeGeometry(512 * kKiB, 8 * kKiB, 32, 1024));
  EXPECT_EQ(s.geometry.header_bytes, 64u) << "blocks are aligned to 32";
  EXPECT_EQ(s.policy.keep_arenas, 3u);
  EXPECT_EQ(s.policy.arena_choice, ArenaChoice::kEmptiest);
  EXPECT_EQ(s.policy.pool_choice, PoolChoice::kFullest);
  EXPECT_EQ(s.policy.free_list, FreeList::kAddress);
  EXPECT_TRUE(s.policy.discard_free_pools);
  EXPECT_EQ(s.policy.lanes, LaneChoice::kThread);
  EXPECT_EQ(s.policy.decay_bytes, 65536u);
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
           Case{"decay_bytes:0", "decay_bytes: a number"},
           Case{"decay_bytes:soon", "decay_bytes: a number"},
           Case{"decay_bytes:4096,keep_arenas:0", "decay_bytes: needs"},
           Case{"decay_bytes:4096,keep_arenas:65", "decay_bytes: needs"},
           Case{"geometry:cpython-3.8,decay_bytes:4096", "decay_bytes: needs"},
           Case{"lanes:size", "lanes: none"},
           Case{"geometry:cpython-2.3,keep_arenas:1", "keep_arenas"},
           Case{"geometry:cpython-2.3,decay_bytes:1", "keep_arenas"},
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

}  // namespace
}  // namespace arenalab
