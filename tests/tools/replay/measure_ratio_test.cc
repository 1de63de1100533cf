// The arithmetic behind "faster", "slower" and "no difference".
#include "tools/replay/measure_ratio.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/replay/latency.h"

namespace arenalab {
namespace {

const TimeRatio kNoise = {.median = 1, .low = 0.97, .high = 1.02};

TimeRatio Interval(double low, double high) {
  return {.median = (low + high) / 2, .low = low, .high = high};
}

TEST(Latency, BucketsMeetAndAreASixteenthWide) {
  std::size_t last = 0;
  for (std::uint64_t ticks = 0; ticks < 100000; ++ticks) {
    const std::size_t bucket = LatencyBucket(ticks);
    ASSERT_TRUE(bucket == last || bucket == last + 1) << ticks;
    ASSERT_LE(ticks, MostOfBucket(bucket));
    ASSERT_LE(MostOfBucket(bucket), ticks + ticks / 16);
    last = bucket;
  }
}

TEST(Latency, FiguresByHand) {
  LatencyHistogram histogram{};
  EXPECT_FALSE(FiguresOf(histogram).has_value());
  for (std::uint64_t ticks = 1; ticks <= 100; ++ticks)
    ++histogram.counts[LatencyBucket(ticks)];
  histogram.most_ticks = 100;
  const LatencyFigures figures = *FiguresOf(histogram);
  EXPECT_EQ(figures.timed, 100u);
  EXPECT_DOUBLE_EQ(figures.p50, 51);    // the 50th, 50, is in 50 to 51
  EXPECT_DOUBLE_EQ(figures.p99, 99);    // the 99th is in 96 to 99
  EXPECT_DOUBLE_EQ(figures.p999, 100);  // the 100th, in 100 to 103
  EXPECT_DOUBLE_EQ(figures.max, 100);
}

TEST(Median, IsTheMiddleOrTheMeanOfTheTwo) {
  EXPECT_DOUBLE_EQ(Median({7}), 7);
  EXPECT_DOUBLE_EQ(Median({9, 1, 4}), 4);
  EXPECT_DOUBLE_EQ(Median({9, 1, 4, 6}), 5);
}

TEST(RatioOf, ComparesRoundByRound) {
  // A machine that slows down by half changes no ratio.
  const TimeRatio ratio = RatioOf({20, 40, 60}, {10, 20, 30}, 1);
  EXPECT_DOUBLE_EQ(ratio.median, 2);
  EXPECT_DOUBLE_EQ(ratio.low, 2);
  EXPECT_DOUBLE_EQ(ratio.high, 2);
}

TEST(RatioOf, TheIntervalHoldsTheMedianAndNotTheOutlier) {
  std::vector<double> times;
  std::vector<double> reference(20, 10);
  for (int i = 0; i < 19; ++i) times.push_back(10 + 0.1 * (i % 5));
  times.push_back(1000);
  const TimeRatio ratio = RatioOf(times, reference, 1);
  EXPECT_LE(ratio.low, ratio.median);
  EXPECT_GE(ratio.high, ratio.median);
  EXPECT_LT(ratio.low, ratio.high);
  EXPECT_LT(ratio.high, 1.05);
}

// Of 6 values the bootstrap median's 2.5 % quantile lies between the smallest
// and the third smallest: drawn at least four times the smallest has
// probability 0.0087, so the quantile is not it for these values.
TEST(RatioOf, WithSixRoundsTheIntervalIsInsideTheRange) {
  const TimeRatio ratio = RatioOf({1, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 1}, 3);
  EXPECT_DOUBLE_EQ(ratio.median, 3.5);
  EXPECT_GT(ratio.low, 1);
  EXPECT_LT(ratio.low, 2.6);
  EXPECT_GT(ratio.high, 4.4);
  EXPECT_LT(ratio.high, 6);
}

TEST(RatioOf, IsTheSameForTheSameSeed) {
  const std::vector<double> times = {1, 5, 2, 8, 3, 9, 4};
  const std::vector<double> reference = {3, 3, 3, 3, 3, 3, 3};
  EXPECT_EQ(RatioOf(times, reference, 5).low, RatioOf(times, reference, 5).low);
}

TEST(Judge, NeedsTheWholeIntervalOutsideTheNoise) {
  EXPECT_EQ(Judge(Interval(0.80, 0.96), kNoise, 10), TimeVerdict::kFaster);
  EXPECT_EQ(Judge(Interval(0.80, 0.98), kNoise, 10),
            TimeVerdict::kNoDifference);
  EXPECT_EQ(Judge(Interval(1.03, 1.20), kNoise, 10), TimeVerdict::kSlower);
  EXPECT_EQ(Judge(Interval(1.01, 1.20), kNoise, 10),
            TimeVerdict::kNoDifference);
  EXPECT_EQ(Judge(Interval(0.90, 1.10), kNoise, 10),
            TimeVerdict::kNoDifference);
}

TEST(Judge, NoiseThatLeansToOneSideDoesNotMakeADifference) {
  // The A/A arm came out slower: 1.01 is then no win of anybody.
  const TimeRatio slow_again = Interval(1.02, 1.05);
  EXPECT_EQ(Judge(Interval(1.005, 1.015), slow_again, 10),
            TimeVerdict::kNoDifference);
  EXPECT_EQ(Judge(Interval(0.98, 0.99), slow_again, 10), TimeVerdict::kFaster);
}

TEST(Judge, FewerThanSixRoundsDecideNothing) {
  EXPECT_EQ(Judge(Interval(0.1, 0.2), kNoise, kLeastRounds - 1),
            TimeVerdict::kTooFewRounds);
  EXPECT_EQ(Judge(Interval(0.1, 0.2), kNoise, kLeastRounds),
            TimeVerdict::kFaster);
}

TEST(TouchNames, GoBothWays) {
  for (Touch touch :
       {Touch::kNone, Touch::kHeader, Touch::kLine, Touch::kFill}) {
    EXPECT_EQ(TouchOfName(TouchName(touch)), touch);
  }
  EXPECT_EQ(TouchName(Touch::kHeader), "header");
  EXPECT_FALSE(TouchOfName("Header").has_value());
}

}  // namespace
}  // namespace arenalab
