// The limits that need a heap of their own, by hand: packed ranges, the oracle,
// meshing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/age.h"
#include "tools/replay/mesh.h"
#include "tools/replay/oracle.h"
#include "tools/replay/packed_range.h"

namespace arenalab {
namespace {

using testing::ElementsAre;

TEST(PackedRange, TakesTheLowestGapAndEndsAtTheLastBlock) {
  PackedRange range;
  EXPECT_EQ(range.Take(2), 0u);
  EXPECT_EQ(range.Take(3), 2u);
  EXPECT_EQ(range.Take(1), 5u);
  EXPECT_EQ(range.end(), 6u);
  range.GiveBack(2, 3);
  EXPECT_EQ(range.Take(1), 2u);
  EXPECT_EQ(range.Take(3), 6u);  // two granules are free at 3
  EXPECT_EQ(range.Take(2), 3u);
  range.GiveBack(6, 3);
  EXPECT_EQ(range.end(), 6u);
  range.GiveBack(2, 1);
  range.GiveBack(5, 1);  // and what is free before it stays between blocks
  EXPECT_EQ(range.end(), 5u);
  range.GiveBack(3, 2);  // joined with the gap at 2
  EXPECT_EQ(range.end(), 2u);
  range.GiveBack(0, 2);
  EXPECT_EQ(range.end(), 0u);
}

TEST(PackedRange, AmongGapsOfItsOwnPowerOfTwoARequestTriesTheLowest) {
  PackedRange range;
  range.Take(70);
  range.Take(1);
  range.Take(100);
  range.Take(1);
  range.Take(200);
  range.Take(1);  // ends at 373
  range.GiveBack(0, 70);
  range.GiveBack(71, 100);
  EXPECT_EQ(range.Take(80), 373u);  // 70 is too small, 100 is not looked at
  range.GiveBack(172, 200);
  EXPECT_EQ(range.Take(80), 172u);  // the next power
  EXPECT_EQ(range.Take(65), 0u);
}

// First fit over a list of granules.
class NaiveRange {
 public:
  std::uint32_t Take(std::uint32_t granules) {
    std::uint32_t run = 0;
    for (std::uint32_t i = 0;; ++i) {
      if (i == used_.size()) used_.push_back(false);
      run = used_[i] ? 0 : run + 1;
      if (run < granules) continue;
      const std::uint32_t at = i + 1 - granules;
      std::fill_n(used_.begin() + at, granules, true);
      return at;
    }
  }
  void GiveBack(std::uint32_t at, std::uint32_t granules) {
    std::fill_n(used_.begin() + at, granules, false);
  }
  std::uint32_t end() const {
    const auto last = std::find(used_.rbegin(), used_.rend(), true);
    return static_cast<std::uint32_t>(used_.rend() - last);
  }

 private:
  std::vector<bool> used_;
};

TEST(PackedRange, IsFirstFitBelow64Granules) {
  std::mt19937 random(7);
  PackedRange range;
  NaiveRange naive;
  struct Block {
    std::uint32_t at;
    std::uint32_t granules;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 2500; ++i) {
    if (blocks.empty() || (random() % 100 < 52 && blocks.size() < 300)) {
      const std::uint32_t granules = 1 + random() % 63;
      const std::uint32_t at = range.Take(granules);
      ASSERT_EQ(at, naive.Take(granules)) << i;
      blocks.push_back({at, granules});
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      range.GiveBack(blocks.back().at, blocks.back().granules);
      naive.GiveBack(blocks.back().at, blocks.back().granules);
      blocks.pop_back();
    }
    ASSERT_EQ(range.end(), naive.end()) << i;
  }
}

// Clock: 16, 48, 64, 64, 80, 80, 80. Lives: 1 for 64 bytes of it (group 6), 2
// for 16 (group 4), 4 for none (group 0), 3 for ever. Deaths in 254ths of 80:
// 2 in 203, 1 and 4 in 254.
constexpr char kSevenSteps[] =
    "malloc 1 16\nmalloc 2 32\nmalloc 3 16\nfree 2\nmalloc 4 16\n"
    "free 1\nfree 4\n";

TEST(Oracle, GroupsByLifetimeDeathAndSizeByHand) {
  const Oracle oracle = PackWithForesight(Compiled(kSevenSteps), {0, 3, 5, 7});
  // Each alone in its group.
  EXPECT_THAT(oracle.by_lifetime.extent_bytes, ElementsAre(0, 64, 48, 16));
  EXPECT_THAT(oracle.by_lifetime.page_bytes,
              ElementsAre(0, 3 * 4096, 3 * 4096, 4096));
  // 1 and 4 share one.
  EXPECT_THAT(oracle.by_death.extent_bytes, ElementsAre(0, 64, 48, 16));
  EXPECT_THAT(oracle.by_death.page_bytes,
              ElementsAre(0, 3 * 4096, 2 * 4096, 4096));
  // 1, 3 and 4 do; 3 stays in the middle.
  EXPECT_THAT(oracle.by_size.extent_bytes, ElementsAre(0, 64, 48, 32));
  EXPECT_THAT(oracle.by_size.page_bytes, ElementsAre(0, 2 * 4096, 4096, 4096));
}

TEST(Oracle, ABlockThatGrowsIsMadeAnewBeforeTheOldOneIsGivenUp) {
  const Oracle oracle = PackWithForesight(
      Compiled("malloc 1 16\nrealloc 1 10\nrealloc 1 40\nfree 1\n"),
      {1, 2, 3, 4});
  // In 10 bytes it stays where it is; 40 are three granules behind it.
  EXPECT_THAT(oracle.by_size.extent_bytes, ElementsAre(16, 16, 48, 0));
  const Oracle same =
      PackWithForesight(Compiled("malloc 1 600\nrealloc 1 700\n"), {1, 2});
  // 38 granules and 44 have one group: the new block lies behind the old one.
  EXPECT_THAT(same.by_size.extent_bytes, ElementsAre(608, (38 + 44) * 16));
}

TEST(Oracle, HoldsTheLoadAtLeastAndNothingWhenAllIsFreed) {
  std::string text;
  std::mt19937 random(3);
  std::vector<int> live;
  for (int i = 0; i < 3000; ++i) {
    text += "malloc " + std::to_string(i) + " " +
            std::to_string(1 + random() % 900) + "\n";
    live.push_back(i);
    if (random() % 3 != 0) continue;
    std::swap(live[random() % live.size()], live.back());
    text += "free " + std::to_string(live.back()) + "\n";
    live.pop_back();
  }
  for (const int id : live) text += "free " + std::to_string(id) + "\n";
  const CompiledTrace trace = Compiled(text);
  const Samples samples = ChooseSamples(trace, 512, 50);
  const Oracle oracle = PackWithForesight(trace, samples.timeline.steps);
  for (const OracleCurve* curve :
       {&oracle.by_lifetime, &oracle.by_death, &oracle.by_size}) {
    for (std::size_t i = 0; i < samples.timeline.steps.size(); ++i) {
      EXPECT_GE(curve->extent_bytes[i], samples.timeline.requested_bytes[i]);
      EXPECT_GE(curve->page_bytes[i], samples.timeline.requested_bytes[i]);
    }
    EXPECT_EQ(curve->extent_bytes.back(), 0u);
    EXPECT_EQ(curve->page_bytes.back(), 0u);
  }
}

TEST(Aged, LitterComesFirstAndIsOfTheTracesSizes) {
  const std::string text =
      "malloc 1 24\nmalloc 2 700\nfree 1\nmark half\nmalloc 3 24\n";
  const Litter litter{.multiplier = 10, .occupancy = 0.25, .seed = 5};
  const CompiledTrace aged = Aged(Compiled(text), litter);
  // Two live objects at most: 20 blocks, of which 15 go.
  EXPECT_EQ(aged.litter_steps, 35u);
  EXPECT_EQ(aged.inherited_steps, 35u);
  EXPECT_EQ(aged.steps, 39u);
  EXPECT_EQ(aged.slots, 22u);
  EXPECT_EQ(aged.marks[0].step, 38u);
  StepCursor cursor(aged);
  Step step;
  std::uint64_t small = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(cursor.Next(&step));
    EXPECT_EQ(step.code, OpCode::kAlloc);
    EXPECT_GE(step.slot, 2u);
    EXPECT_TRUE(step.size_bytes == 24 || step.size_bytes == 700);
    small += step.size_bytes == 24;
  }
  EXPECT_GT(small, 5u);  // two of three allocations
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(cursor.Next(&step));
    EXPECT_EQ(step.code, OpCode::kFree);
  }
  EXPECT_EQ(cursor.request(), 0u);
  ASSERT_TRUE(cursor.Next(&step));  // the trace's first
  EXPECT_EQ(step.slot, 0u);
  EXPECT_EQ(cursor.request(), 1u);
}

TEST(Aged, MomentsAreTheTracesOwn) {
  // The litter's peak is higher than the trace's.
  const CompiledTrace aged =
      Aged(Compiled("malloc 1 100\nmalloc 2 100\nfree 1\nfree 2\n"),
           {.multiplier = 50, .occupancy = 0, .seed = 1});
  const Samples samples = ChooseSamples(aged, 512, 10);
  EXPECT_EQ(samples.timeline.steps[samples.moments.peak],
            aged.litter_steps + 2);
  EXPECT_EQ(samples.timeline.requested_bytes[samples.moments.peak], 200u);
}

TEST(Aged, TheSeedDecides) {
  const auto ops = [](std::uint64_t seed) {
    const CompiledTrace aged =
        Aged(Compiled("malloc 1 24\nmalloc 2 700\n"), {20, 0.5, seed});
    std::string bytes;
    for (const Op op : aged.ops.ops())
      bytes += std::to_string(op.slot) + " " + std::to_string(op.word) + ",";
    return bytes;
  };
  EXPECT_EQ(ops(3), ops(3));
  EXPECT_NE(ops(3), ops(4));
}

TEST(Mesh, PoolsShareWhereTheirBlocksDoNotOverlap) {
  // The drawing of mesh.h: 1 and 3 overlap in the first place.
  const std::vector<std::uint64_t> pools = {0b010001, 0b000010, 0b000101};
  EXPECT_EQ(MeshedPools(pools, 1, 1), 3u);
  EXPECT_EQ(MeshedPools(pools, 1, 2), 2u);
  EXPECT_EQ(MeshedPools(pools, 1, 8), 2u);
  EXPECT_EQ(MeshedPools({}, 1, 8), 0u);
}

TEST(Mesh, AsManyAsAllowedShare) {
  std::vector<std::uint64_t> pools;
  for (int i = 0; i < 9; ++i) pools.push_back(std::uint64_t{1} << i);
  EXPECT_EQ(MeshedPools(pools, 1, 2), 5u);
  EXPECT_EQ(MeshedPools(pools, 1, 8), 2u);
}

TEST(Mesh, EveryWordOfAPoolCounts) {
  const std::vector<std::uint64_t> pools = {1, 8, 2, 8, 4, 0};
  EXPECT_EQ(MeshedPools(pools, 2, 2), 2u);  // the first two overlap
  EXPECT_EQ(MeshedPools(pools, 2, 8), 2u);
}

}  // namespace
}  // namespace arenalab
