// Times of one session: the interval by hand, and each verdict.
#include "tools/compare/time_gate.h"

#include <gtest/gtest.h>

#include <random>

namespace arenalab {
namespace {

std::vector<double> Same(int n, double value) {
  return std::vector<double>(static_cast<std::size_t>(n), value);
}

TEST(IntervalRankTest, IsTheSignTests) {
  // 2 / 2^5 = 6.25 %, 2 / 2^6 = 3.1 %: six values are the fewest for 95 %.
  EXPECT_EQ(IntervalRank(5, 0.05), 0);
  EXPECT_EQ(IntervalRank(6, 0.05), 1);
  // Of ten: 2 (1 + 10) / 1024 = 2.1 %, with the next 45 it would be 10.9 %.
  EXPECT_EQ(IntervalRank(10, 0.05), 2);
  // A family of ten: 2 / 1024 = 0.2 %, 2.1 % is too much.
  EXPECT_EQ(IntervalRank(10, 0.005), 1);
  EXPECT_EQ(IntervalRank(0, 0.05), 0);
}

TEST(TimeGateTest, BeyondThresholdAndFloorIsARegression) {
  const TimeGate gate =
      JudgeTimes(Same(10, 20), Same(10, 20), Same(10, 22), {});
  EXPECT_EQ(gate.verdict, Verdict::kRegression);
  EXPECT_DOUBLE_EQ(gate.effect, 1.1);
  EXPECT_DOUBLE_EQ(gate.low, 1.1);
  EXPECT_EQ(gate.floor, 0);
  EXPECT_EQ(JudgeTimes(Same(10, 22), Same(10, 22), Same(10, 20), {}).verdict,
            Verdict::kImprovement);
  EXPECT_EQ(JudgeTimes(Same(10, 20), Same(10, 20), Same(10, 20.5), {}).verdict,
            Verdict::kUnchanged);
}

TEST(TimeGateTest, InsideTheNoiseIsNoRegression) {
  // The A/A arm reaches 12 %: 10 % more says nothing.
  std::vector<double> again = Same(10, 20);
  again[0] = again[1] = 22.4;
  const TimeGate gate = JudgeTimes(Same(10, 20), again, Same(10, 22), {});
  EXPECT_EQ(gate.verdict, Verdict::kInconclusive);
  EXPECT_NEAR(gate.floor, 0.12, 1e-9);
  EXPECT_NE(gate.why.find("below the A/A floor 12.0 %"), std::string::npos);
}

TEST(TimeGateTest, TooFewRoundsSayHowManyAreNeeded) {
  const TimeGate one = JudgeTimes(Same(5, 20), Same(5, 20), Same(5, 40), {});
  EXPECT_EQ(one.verdict, Verdict::kInconclusive);
  EXPECT_EQ(one.rounds_needed, 6);
  // 2 / 2^n <= 0.05 / 25 from n = 10 on.
  const TimeGate many = JudgeTimes(Same(9, 20), Same(9, 20), Same(9, 40),
                                   {.threshold = 0.05, .family = 25});
  EXPECT_EQ(many.rounds_needed, 10);
}

TEST(TimeGateTest, AWideIntervalSaysHowManyRoundsWouldSettleIt) {
  // Ratios 1.00 to 1.09, effect 1.045, interval [1.01, 1.08]: the distance to
  // 1.05 is 0.005, the half 0.035: 10 * 7^2 rounds.
  std::vector<double> now;
  for (int i = 0; i < 10; ++i) now.push_back(100 + i);
  const TimeGate gate = JudgeTimes(Same(10, 100), Same(10, 100), now, {});
  EXPECT_EQ(gate.verdict, Verdict::kInconclusive);
  EXPECT_DOUBLE_EQ(gate.low, 1.01);
  EXPECT_DOUBLE_EQ(gate.high, 1.08);
  EXPECT_NEAR(gate.rounds_needed, 490, 1);
}

// Unchanged, on a machine whose rounds differ by 3 % and now and then by half.
TEST(TimeGateTest, NoiseIsHardlyEverAnAlarm) {
  std::mt19937 random(5);
  std::lognormal_distribution<double> noise(0, 0.03);
  std::bernoulli_distribution burst(0.05);
  const auto times = [&] {
    std::vector<double> values;
    for (int i = 0; i < 12; ++i) {
      values.push_back(noise(random) * (burst(random) ? 1.5 : 1));
    }
    return values;
  };
  int alarms = 0;
  for (int i = 0; i < 1000; ++i) {
    const Verdict verdict = JudgeTimes(times(), times(), times(), {}).verdict;
    alarms += verdict == Verdict::kRegression;
  }
  EXPECT_LE(alarms, 10);
}

}  // namespace
}  // namespace arenalab
