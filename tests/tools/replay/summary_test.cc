// Every formula of summary.h, limits.h and retention.h by hand.
#include "tools/replay/summary.h"

#include <gtest/gtest.h>

#include "allocators/pymalloc/generation.h"
#include "tools/replay/limits.h"
#include "tools/replay/retention.h"

namespace arenalab {
namespace {

TEST(Summary, EveryNumberByHand) {
  //                 clock       requested          held
  const Fragmentation n =
      Summarise({0, 10, 40, 50}, {0, 100, 200, 50}, {64, 150, 240, 300});
  // Intervals 10, 30, 10 with 1.5, 1.2, 6: (15 + 36 + 60) / 50 - 1.
  EXPECT_DOUBLE_EQ(*n.jw1, 111.0 / 50 - 1);
  EXPECT_DOUBLE_EQ(*n.jw2, 240.0 / 200 - 1);
  EXPECT_DOUBLE_EQ(*n.jw3, 300.0 / 50 - 1);
  EXPECT_DOUBLE_EQ(*n.jw4, 300.0 / 200 - 1);
  // Held 1500 + 7200 + 3000, requested 1000 + 6000 + 500.
  EXPECT_DOUBLE_EQ(*n.waste, (11700.0 - 7500) / 7500);
}

TEST(Summary, SamplesWithoutARequestedByteAreLeftOutOfTheMean) {
  const Fragmentation n = Summarise({0, 10, 20}, {0, 0, 10}, {8, 8, 20});
  EXPECT_DOUBLE_EQ(*n.jw1, 1.0);
}

TEST(Summary, WhatCannotBeDividedIsUnknown) {
  const Fragmentation nothing = Summarise({}, {}, {});
  EXPECT_FALSE(nothing.jw1.has_value());
  const Fragmentation idle = Summarise({0, 5}, {0, 0}, {4096, 4096});
  EXPECT_FALSE(idle.jw1.has_value());
  EXPECT_FALSE(idle.jw2.has_value());
  EXPECT_FALSE(idle.jw3.has_value());
  EXPECT_FALSE(idle.jw4.has_value());
  EXPECT_FALSE(idle.waste.has_value());
}

TEST(Limits, PageLoadRoundsUp) {
  EXPECT_EQ(PageLoad(0, 4096), 0u);
  EXPECT_EQ(PageLoad(1, 4096), 4096u);
  EXPECT_EQ(PageLoad(4096, 4096), 4096u);
  EXPECT_EQ(PageLoad(4097, 4096), 8192u);
}

TEST(Limits, ClassRepackIsWholePoolsPerClass) {
  // 4 KiB pools hold 253 blocks of 16 and 7 of 512.
  const GeometryValues& geometry = Cpython38::kGeometry;
  std::vector<std::uint32_t> used(geometry.classes);
  EXPECT_EQ(ClassRepack(geometry, used), 0u);
  used[0] = 253;
  used[31] = 8;
  EXPECT_EQ(ClassRepack(geometry, used), 3u * 4096);
  used[0] = 254;
  EXPECT_EQ(ClassRepack(geometry, used), 4u * 4096);
  EXPECT_EQ(ClassRepackArenas(geometry, 4 * 4096), 262144u);
  EXPECT_EQ(ClassRepackArenas(geometry, 262145), 524288u);
  EXPECT_EQ(ClassRepackArenas(geometry, 0), 0u);
}

TEST(Limits, RobsonAndTheGapByHand) {
  EXPECT_EQ(Robson(0), 0u);
  // 1024 x (9 / 2 + 1) - 512 + 1.
  EXPECT_EQ(Robson(1000), 5632u - 511);
  EXPECT_EQ(Robson(1024), 5632u - 511);
  EXPECT_EQ(Robson(64), 64u);  // no block of 512 bytes fits
  EXPECT_DOUBLE_EQ(*GapClosed(100, 60, 20), 0.5);
  EXPECT_DOUBLE_EQ(*GapClosed(100, 20, 20), 1);
  EXPECT_DOUBLE_EQ(*GapClosed(100, 120, 20), -0.25);
  EXPECT_FALSE(GapClosed(20, 10, 20).has_value());
}

TEST(Retention, ReleaseCurveByHand) {
  const std::vector<std::uint32_t> blocks = {0, 1, 3, 448};
  EXPECT_EQ(BlocksForShare(blocks, 0), 0u);
  EXPECT_EQ(BlocksForShare(blocks, 50), 1u);
  EXPECT_EQ(BlocksForShare(blocks, 75), 4u);
  EXPECT_EQ(BlocksForShare(blocks, 90), 452u);  // 3.6 arenas are four
  EXPECT_EQ(BlocksForShare({}, 50), 0u);
  EXPECT_EQ(PinnedByAtMost(blocks, 1), 1u);
  EXPECT_EQ(PinnedByAtMost(blocks, 3), 2u);
  EXPECT_EQ(Percentile({5, 1, 9, 7}, 50), 5u);
  EXPECT_EQ(Percentile({5, 1, 9, 7}, 100), 9u);
}

TEST(Retention, DeathsAreFollowedFromEveryMoment) {
  RetentionWatch watch;
  RetentionWatch::Head first = 0;
  RetentionWatch::Head second = 0;
  RetentionWatch::Head third = 0;
  watch.Look(4, 100, {7, 8},
             {{&first, 7, 10, 9, 16, 0},
              {&second, 7, 90, 80, 32, 1},
              {&third, 7, 50, 49, 16, 0}});
  watch.Died(first, 130);
  watch.Died(second, 150);
  watch.Look(9, 200, {7}, {{&third, 7, 50, 49, 16, 0}});
  const std::vector<Retention> seen = watch.Finish(1000);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].sample, 4u);
  EXPECT_EQ(seen[0].live_blocks, (std::vector<std::uint32_t>{0, 3}));
  ASSERT_EQ(seen[0].pinned.size(), 1u);  // the other has no block
  EXPECT_EQ(seen[0].pinned[0].ordinal, 7u);
  EXPECT_EQ(seen[0].pinned[0].pinners[0].request, 10u);
  EXPECT_EQ(seen[0].pinned[0].pinners[0].age_requests, 90u);
  EXPECT_EQ(seen[0].pinned[0].pinners[2].request, 90u);
  // Deaths at 130, 150 and the end: the last minus the median, and minus now.
  EXPECT_EQ(seen[0].mixing_max, 850u);
  EXPECT_EQ(seen[0].wait_max, 900u);
  EXPECT_EQ(seen[1].mixing_median, 0u);
  EXPECT_EQ(seen[1].wait_median, 800u);
}

}  // namespace
}  // namespace arenalab
