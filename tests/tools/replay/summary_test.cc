// Every formula of summary.h and limits.h by hand.
#include "tools/replay/summary.h"

#include <gtest/gtest.h>

#include "allocators/pymalloc/generation.h"
#include "tools/replay/limits.h"

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

}  // namespace
}  // namespace arenalab
