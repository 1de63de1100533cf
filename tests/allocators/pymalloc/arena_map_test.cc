// The radix tree: sizes and node counts as CPython's statistics give them, and
// exact bounds of arenas however they lie.
#include "allocators/pymalloc/arena_map.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "allocators/pymalloc/generation.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

constexpr RadixShape k311 = MakeRadixShape(64, 20);
constexpr RadixShape k310 = MakeRadixShape(48, 20);

class Map {
 public:
  explicit Map(const RadixShape& shape) : shape_(shape) {}
  ~Map() { map_.Destroy(shape_, LibcRawSource()); }
  bool Mark(std::uint64_t base) {
    return map_.Mark(shape_, base, LibcRawSource());
  }
  void Unmark(std::uint64_t base) { map_.Unmark(shape_, base); }
  bool Contains(std::uint64_t address) const {
    return map_.Contains(shape_, address);
  }
  const ArenaMap& map() const { return map_; }

 private:
  RadixShape shape_;
  ArenaMap map_;
};

TEST(RadixShape, WidthsAreThoseOfEachRelease) {
  EXPECT_EQ(k311.top_bits, 15);
  EXPECT_EQ(k311.mid_bits, 15);
  EXPECT_EQ(k311.bottom_bits, 14);
  EXPECT_EQ(k310.top_bits, 10);
  EXPECT_EQ(k310.mid_bits, 10);
  EXPECT_EQ(k310.bottom_bits, 8);
  const RadixShape huge = MakeRadixShape(64, 21);
  EXPECT_EQ(huge.top_bits, 15);
  EXPECT_EQ(huge.mid_bits, 15);
  EXPECT_EQ(huge.bottom_bits, 13);
}

TEST(ArenaMap, EmptyContainsNothingAndHasNoNodes) {
  Map map(k311);
  for (std::uint64_t address :
       {std::uint64_t{0}, std::uint64_t{4096}, ~std::uint64_t{0}})
    EXPECT_FALSE(map.Contains(address));
  EXPECT_EQ(map.map().mid_nodes(), 0u);
  EXPECT_EQ(map.map().bottom_nodes(), 0u);
}

TEST(ArenaMap, BoundsAreExactAtEveryAlignment) {
  constexpr std::uint64_t kArena = 1 << 20;
  for (std::uint64_t tail : {0u, 16u, 4096u, 12288u, 1u << 19, (1u << 20) - 16})
    for (const RadixShape& shape : {k310, k311}) {
      Map map(shape);
      const std::uint64_t base = 0x7f3412300000 + tail;
      ASSERT_TRUE(map.Mark(base));
      EXPECT_TRUE(map.Contains(base));
      EXPECT_TRUE(map.Contains(base + kArena / 2));
      EXPECT_TRUE(map.Contains(base + kArena - 1));
      EXPECT_FALSE(map.Contains(base - 1));
      EXPECT_FALSE(map.Contains(base + kArena));
      EXPECT_FALSE(map.Contains(base + 2 * kArena));
      map.Unmark(base);
      EXPECT_FALSE(map.Contains(base));
      EXPECT_FALSE(map.Contains(base + kArena - 1));
    }
}

// Two arenas share a piece: the lower's tail and the upper's head.
TEST(ArenaMap, NeighboursShareAnEntry) {
  constexpr std::uint64_t kBase = 0x7f3412300000 + 4096;
  constexpr std::uint64_t kArena = 1 << 20;
  Map map(k311);
  ASSERT_TRUE(map.Mark(kBase));
  ASSERT_TRUE(map.Mark(kBase + kArena));
  EXPECT_TRUE(map.Contains(kBase + kArena - 1));
  EXPECT_TRUE(map.Contains(kBase + kArena));
  map.Unmark(kBase);
  EXPECT_FALSE(map.Contains(kBase + kArena - 1));
  EXPECT_TRUE(map.Contains(kBase + kArena));
}

// The answer of CPython's own words: hi and lo as it keeps them, its clauses.
bool InRangeByCpython(std::int32_t tail, std::int32_t hi, std::int32_t lo) {
  return tail < lo || (tail >= hi && hi != 0);
}

// Every byte of a piece that one arena ends in, another begins in, or both,
// with and without a gap between them.
TEST(ArenaMap, EveryByteOfAPieceAsCpythonHasIt) {
  constexpr std::uint64_t kPiece = 0x7f3412300000;
  constexpr std::int32_t kArena = 1 << 20;
  for (std::int32_t lo : {0, 16, 4096, kArena / 2, kArena - 16})
    for (std::int32_t hi : {0, 16, 4096, 8192, kArena / 2, kArena - 16, -1}) {
      if (hi != 0 && hi < lo) continue;  // two arenas would overlap
      Map map(k311);
      if (lo != 0) {
        ASSERT_TRUE(map.Mark(kPiece - kArena + lo));
      }
      if (hi != 0) {
        ASSERT_TRUE(map.Mark(hi == -1 ? kPiece : kPiece + hi));
      }
      for (std::int32_t tail = 0; tail < kArena; ++tail)
        ASSERT_EQ(map.Contains(kPiece + tail), InRangeByCpython(tail, hi, lo))
            << "tail " << tail << " hi " << hi << " lo " << lo;
    }
}

TEST(ArenaMap, NodesAreCountedOnceAndNeverGoAway) {
  Map map(k311);
  const std::uint64_t piece = std::uint64_t{1} << 20;
  const std::uint64_t bottom = piece << 14;
  const std::uint64_t mid = bottom << 15;
  ASSERT_TRUE(map.Mark(0));
  EXPECT_EQ(map.map().mid_nodes(), 1u);
  EXPECT_EQ(map.map().bottom_nodes(), 1u);
  ASSERT_TRUE(map.Mark(5 * piece));
  EXPECT_EQ(map.map().bottom_nodes(), 1u);
  // The last piece of a bottom node: an arena across it needs a second node.
  ASSERT_TRUE(map.Mark(3 * bottom - piece + 4096));
  EXPECT_EQ(map.map().mid_nodes(), 1u);
  EXPECT_EQ(map.map().bottom_nodes(), 3u);
  // The same at the edge of a mid node.
  ASSERT_TRUE(map.Mark(2 * mid - piece + 4096));
  EXPECT_EQ(map.map().mid_nodes(), 3u);
  EXPECT_EQ(map.map().bottom_nodes(), 5u);
  map.Unmark(0);
  map.Unmark(2 * mid - piece + 4096);
  EXPECT_EQ(map.map().mid_nodes(), 3u);
  EXPECT_EQ(map.map().bottom_nodes(), 5u);
  ASSERT_TRUE(map.Mark(0));
  EXPECT_EQ(map.map().bottom_nodes(), 5u);
}

TEST(ArenaMap, TenIgnoresTheTopSixteenBitsAndElevenDoesNot) {
  const std::uint64_t base = 0x7f3412300000;
  const std::uint64_t alias = base | std::uint64_t{0xABCD} << 48;
  Map ten(k310), eleven(k311);
  ASSERT_TRUE(ten.Mark(base));
  ASSERT_TRUE(eleven.Mark(base));
  EXPECT_TRUE(ten.Contains(alias));
  EXPECT_FALSE(eleven.Contains(alias));
}

// sys._debugmallocstats(): "arena map root" 8192 bytes in 3.10, 262144 later.
TEST(ArenaMap, BytesInTheStatistics) {
  const auto statistics = []<class G>() {
    SlotArenaSource arenas;
    HeapOptions options;
    options.arena_source = arenas.source();
    Heap<G> heap(options);
    heap.Allocate(1);
    return heap.ComputeStatistics();
  };
  const Statistics ten = statistics.operator()<Cpython310>();
  EXPECT_EQ(ten.map_root_bytes, 8192u);
  EXPECT_EQ(ten.map_mid_nodes, 1u);
  EXPECT_EQ(ten.map_mid_bytes, 8192u);
  EXPECT_EQ(ten.map_bottom_bytes, 2048u);
  const Statistics eleven = statistics.operator()<Cpython311>();
  EXPECT_EQ(eleven.map_root_bytes, 262144u);
  EXPECT_EQ(eleven.map_mid_bytes, 262144u);
  EXPECT_EQ(eleven.map_bottom_bytes, 131072u);
  EXPECT_EQ(eleven.arena_record_bytes, 16u * 48);
  const Statistics huge = statistics.operator()<Cpython315HugePages>();
  EXPECT_EQ(huge.map_bottom_bytes, 65536u);
  EXPECT_EQ(statistics.operator()<Cpython39>().map_root_bytes, 0u);
}

}  // namespace
}  // namespace arenalab
