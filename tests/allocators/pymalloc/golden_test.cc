// The clone gives the addresses that CPython gave.
//
// The hashes below were made by the real allocators: interpreters 2.7.18,
// 3.6.15 (pyenv), 3.7.16, 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0,
// and the allocator of 2.3.5, 2.4.6, 2.5 - 2.7.13, 3.2.6, 3.3.0, 3.5.3, 3.6.1
// and 3.7.3 alone, with its arenas redirected; never by this project's code.
// One exception: 2 MiB arenas, which no released interpreter has yet; those two
// rows come from a separate model that agrees on all others.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "allocators/pymalloc/generation.h"
#include "tests/allocators/pymalloc/golden_stream.h"

namespace arenalab {
namespace {

struct Row {
  std::string_view generation;
  int stream;
  int placement;
  std::uint64_t hash;
  std::uint64_t created;
  std::uint64_t released;  // before the drain
  std::uint64_t live;      // at the end
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.generation << " stream " << row.stream << " placement "
             << row.placement;
}

constexpr Row kRows[] = {
    {"cpython-2.3", 1, 0, 0x55dae8cbe92d2a79, 4, 0, 4},
    {"cpython-2.3", 2, 0, 0x1072317327570fe1, 6, 0, 6},
    {"cpython-2.4.2", 1, 0, 0x2dbcdc67b75af6ca, 3, 0, 3},
    {"cpython-2.4.2", 2, 0, 0x1072317327570fe1, 6, 0, 6},
    {"cpython-2.5", 1, 0, 0x03e94f235ef16b45, 3, 0, 0},
    {"cpython-2.5", 2, 0, 0x7b0a85ad82228138, 40, 37, 0},
    {"classic", 1, 0, 0x8bad5274be6a092f, 14, 0, 0},
    {"classic", 2, 0, 0xad829edef91a9a32, 176, 170, 0},
    {"cpython-3.7.4", 1, 0, 0x317ed0d4ad91eef4, 14, 0, 0},
    {"cpython-3.7.4", 2, 0, 0xefce1d98e75f20b1, 165, 159, 0},
    {"cpython-3.7.4", 3, 0, 0x0fa43eded45395da, 1001, 1000, 0},
    {"cpython-3.8", 1, 0, 0x317ed0d4ad91eef4, 14, 0, 0},
    {"cpython-3.8", 2, 0, 0xefce1d98e75f20b1, 165, 159, 0},
    {"cpython-3.8", 3, 0, 0x0fa43eded45395da, 1001, 1000, 0},
    {"cpython-3.9", 1, 0, 0x82fb414f7ca3536e, 14, 0, 1},
    {"cpython-3.9", 2, 0, 0x40ed282501bf4134, 156, 149, 1},
    {"cpython-3.9", 3, 0, 0xe2e43f64604840b1, 2, 0, 1},
    {"cpython-3.10", 1, 0, 0x72832301054e7f5f, 4, 0, 1},
    {"cpython-3.10", 2, 0, 0x5961f58115bd69aa, 13, 8, 1},
    {"cpython-3.10", 3, 0, 0xac9d3cc6c9f668b1, 2, 0, 1},
    {"cpython-3.10", 1, 1, 0xfeed4dfdb27a6d50, 4, 0, 1},
    {"cpython-3.10", 2, 1, 0x6352298585ffccfb, 11, 6, 1},
    {"cpython-3.11", 1, 0, 0x72832301054e7f5f, 4, 0, 1},
    {"cpython-3.11", 2, 0, 0x5961f58115bd69aa, 13, 8, 1},
    {"cpython-3.11", 3, 0, 0xac9d3cc6c9f668b1, 2, 0, 1},
    {"cpython-3.11", 1, 1, 0xfeed4dfdb27a6d50, 4, 0, 1},
    {"cpython-3.11", 2, 1, 0x6352298585ffccfb, 11, 6, 1},
    {"cpython-3.15-hugepages", 1, 0, 0x8dce4abd3a94073d, 2, 0, 1},
    {"cpython-3.15-hugepages", 2, 0, 0x89f2fa160670a390, 3, 0, 1},
    {"cpython-3.15-hugepages", 1, 1, 0x71640d0b82bf4966, 2, 0, 1},
    {"cpython-3.15-hugepages", 2, 1, 0x0d283471cb6dfde8, 3, 0, 1},
};

// As many 512-byte blocks as an aligned arena holds.
std::size_t FillBlocks(const GeometryValues& g) {
  return PoolsPerArena(g) * BlocksPerPool(g, g.classes - 1);
}

StreamResult RunNamed(std::string_view generation, int stream, int placement) {
  StreamResult result{};
  EXPECT_TRUE(VisitGeneration(generation, [&]<class H>() {
    result = RunGoldenStream<H>(stream, placement,
                                FillBlocks(*GeometryOf(generation)));
  }));
  return result;
}

void ExpectRow(const Row& row) {
  const StreamResult result =
      RunNamed(row.generation, row.stream, row.placement);
  EXPECT_EQ(result.log.hash(), row.hash);
  EXPECT_EQ(result.arenas_created, row.created);
  EXPECT_EQ(result.released_before_drain, row.released);
  EXPECT_EQ(result.live_at_end, row.live);
}

class Golden : public testing::TestWithParam<Row> {};

TEST_P(Golden, AddressesAreThoseOfTheRealAllocator) { ExpectRow(GetParam()); }

// 4 KiB pools: a base on any page is a base on a pool, so nothing changes.
TEST_P(Golden, PlacementOnAnyPageIsTheSameWithPagesAsPools) {
  Row row = GetParam();
  if (GeometryOf(row.generation)->pool_bytes > 4096) return;
  row.placement = 1;
  ExpectRow(row);
}

std::string NameOf(const testing::TestParamInfo<Row>& info) {
  std::string name = std::string(info.param.generation) + "_stream" +
                     std::to_string(info.param.stream) + "_placement" +
                     std::to_string(info.param.placement);
  for (char& c : name)
    if (c == '.' || c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllGenerations, Golden, testing::ValuesIn(kRows),
                         NameOf);

TEST(GoldenRows, EveryGenerationHasThem) {
  for (std::string_view name : kGenerationNames) {
    int rows = 0;
    for (const Row& row : kRows) rows += row.generation == name;
    EXPECT_GE(rows, 2) << name;
  }
}

TEST(GoldenDraws, FirstAreTheDocumentedOnes) {
  Draws draws;
  for (std::uint64_t expected :
       {908834774u, 1093944153u, 1392341196u, 822192870u, 1708211034u})
    EXPECT_EQ(draws.Next(), expected);
}

TEST(GoldenCheckpoint, HashAfterAThousandRecords) {
  EXPECT_EQ(AddressLog::kCheckpoint, 1000u);
  const auto expect = [](std::string_view generation, std::uint64_t hash) {
    EXPECT_EQ(RunNamed(generation, 1, 0).log.checkpoint(), hash) << generation;
  };
  expect("cpython-2.3", 0xf81d51a730a5aa65);
  expect("cpython-2.4.2", 0xf81d51a730a5aa65);
  expect("cpython-2.5", 0xf81d51a730a5aa65);
  expect("classic", 0x306cfd5f3ff85776);
  expect("cpython-3.7.4", 0xc8a1bbeb05e9c3d8);
  expect("cpython-3.8", 0xc8a1bbeb05e9c3d8);
  expect("cpython-3.9", 0xc8a1bbeb05e9c3d8);
  expect("cpython-3.10", 0x769b8ea908290f8d);
  expect("cpython-3.11", 0x769b8ea908290f8d);
  expect("cpython-3.15-hugepages", 0x769b8ea908290f8d);
}

TEST(GoldenRecords, CountAndFirstOffsetsOfStream1) {
  const StreamResult g5 = RunNamed("cpython-3.8", 1, 0);
  EXPECT_EQ(g5.log.records_before_end(), 204344u);
  const std::vector<std::uint64_t> g5_offsets = {
      48, 4144, 8240, 12336, 16432, 20528, 4464, 20704, 24624, 28720, 32816};
  const StreamResult g7 = RunNamed("cpython-3.11", 1, 0);
  EXPECT_EQ(g7.log.records_before_end(), 204323u);
  const std::vector<std::uint64_t> g7_offsets = {48,    16432,  32816, 49200,
                                                 65584, 81968,  16752, 82144,
                                                 98352, 114736, 131120};
  for (std::size_t i = 0; i < g5_offsets.size(); ++i) {
    EXPECT_EQ(g5.log.offsets()[i], g5_offsets[i]);
    EXPECT_EQ(g7.log.offsets()[i], g7_offsets[i]);
  }
}

// What the interpreters printed just before the drain.
struct StatisticsRow {
  std::string_view generation;
  int stream;
  int placement;
  std::uint64_t created, released, high_water, live;
  std::uint64_t allocated, available, unused_pools, headers, tails, alignment;
};

constexpr StatisticsRow kStatistics[] = {
    {"cpython-3.7.4", 1, 0, 14, 0, 14, 14, 2992976, 261120, 61, 40080, 125984,
     0},
    {"cpython-3.8", 2, 0, 165, 159, 22, 6, 2096, 33568, 375, 432, 768, 0},
    {"cpython-3.9", 2, 0, 156, 149, 22, 7, 2096, 33568, 439, 432, 768, 0},
    {"cpython-3.11", 1, 0, 4, 0, 4, 4, 2992976, 431488, 44, 10176, 38768, 0},
    {"cpython-3.10", 1, 1, 4, 0, 4, 4, 2992976, 431488, 41, 10176, 38768,
     49152},
    {"cpython-3.11", 2, 0, 13, 8, 6, 5, 2096, 143680, 311, 432, 1248, 0},
    {"cpython-3.11", 2, 1, 11, 6, 6, 5, 2096, 143680, 306, 432, 1248, 81920},
};

TEST(GoldenStatistics, AreThoseThatInterpretersPrinted) {
  for (const StatisticsRow& row : kStatistics) {
    SCOPED_TRACE(testing::Message() << row.generation << " stream "
                                    << row.stream << " " << row.placement);
    const Statistics s =
        RunNamed(row.generation, row.stream, row.placement).before_drain;
    EXPECT_EQ(s.arenas_created, row.created);
    EXPECT_EQ(s.arenas_released, row.released);
    EXPECT_EQ(s.arenas_high_water, row.high_water);
    EXPECT_EQ(s.arenas_live, row.live);
    EXPECT_EQ(s.allocated_bytes, row.allocated);
    EXPECT_EQ(s.available_bytes, row.available);
    EXPECT_EQ(s.unused_pools, row.unused_pools);
    EXPECT_EQ(s.pool_header_bytes, row.headers);
    EXPECT_EQ(s.quantization_bytes, row.tails);
    EXPECT_EQ(s.alignment_bytes, row.alignment);
  }
}

TEST(GoldenStatistics, OfTheEightByteGenerations) {
  const Statistics classic = RunNamed("classic", 1, 0).before_drain;
  EXPECT_EQ(classic.allocated_bytes, 2950472u);
  EXPECT_EQ(classic.available_bytes, 386488u);
  EXPECT_EQ(classic.unused_pools, 38u);
  std::uint64_t pools = 0;
  for (const ClassStatistics& c : classic.classes) pools += c.pools;
  EXPECT_EQ(pools, 858u);
  const Statistics old = RunNamed("cpython-2.5", 2, 0).before_drain;
  EXPECT_EQ(old.arenas_created, 40u);
  EXPECT_EQ(old.arenas_released, 37u);
  EXPECT_EQ(old.arenas_high_water, 6u);
  EXPECT_EQ(old.arenas_live, 3u);
  EXPECT_EQ(old.allocated_bytes, 560u);
  EXPECT_EQ(old.available_bytes, 19360u);
  EXPECT_EQ(old.unused_pools, 187u);
}

// Every byte of every arena is accounted for, whatever the generation.
TEST(GoldenStatistics, SixLinesSumToTheArenas) {
  for (std::string_view name : kGenerationNames)
    for (int stream : {1, 2})
      for (int placement : {0, 1})
        VisitGeneration(name, [&]<class H>() {
          const Statistics s =
              RunGoldenStream<H>(stream, placement).before_drain;
          const GeometryValues g = *GeometryOf(name);
          EXPECT_EQ(s.allocated_bytes + s.available_bytes +
                        s.unused_pools * g.pool_bytes + s.pool_header_bytes +
                        s.quantization_bytes + s.alignment_bytes,
                    s.arenas_live * g.arena_bytes)
              << name << " stream " << stream << " placement " << placement;
        });
}

}  // namespace
}  // namespace arenalab
