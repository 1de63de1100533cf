// Many recordings against the base's band, and one allocator against another.
#include "tools/compare/recordings.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tests/tools/compare/results_pair.h"
#include "tools/compare/band.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

// Recordings that end with so many arenas of 1 MiB.
std::vector<json> Recordings(const std::vector<int>& arenas) {
  std::vector<json> recordings;
  for (const int live : arenas) {
    json results = MakeResults();
    results["trace"]["hash"] = "run" + std::to_string(recordings.size());
    json& pymalloc = results["allocators"][0];
    pymalloc["arenas"]["arena_bytes"] = 1 << 20;
    pymalloc["arenas"]["live_at_end"] = live;
    pymalloc["summary"]["end_held_bytes"] = live * (1 << 20);
    recordings.push_back(results);
  }
  return recordings;
}

Comparison Compared(const std::vector<int>& base, const std::vector<int>& now,
                    const CompareOptions& options = {}) {
  return CompareRecordings("base", Recordings(base), "new", Recordings(now),
                           options);
}

TEST(BandTest, IsTheHeadersExample) {
  const Band band = BandOf({11, 12, 11}, {16, 16, 17}, 1, 0);
  EXPECT_EQ(band.low, 8);
  EXPECT_EQ(band.high, 15);
  // A budget counts where it is more than the quantum.
  EXPECT_EQ(BandOf({11, 12, 11}, {11, 11, 11}, 1, 3).high, 17);
  // What the new ones differ by among themselves is no regression either.
  EXPECT_EQ(BandOf({11, 11, 11}, {11, 15, 15}, 1, 0).high, 20);
  EXPECT_EQ(MedianOf({5, 1, 3}), 3);
  EXPECT_EQ(MedianOf({4, 1, 3, 2}), 2.5);
}

// How many ways to part `of` different values into equal sides are a change,
// each way as likely as any other where nothing changed.
int Alarms(int of) {
  int alarms = 0;
  for (unsigned set = 0; set < 1u << of; ++set) {
    if (std::popcount(set) != of / 2) continue;
    std::vector<double> sides[2];
    for (int rank = 0; rank < of; ++rank) {
      // Not evenly spread: the last stands far off.
      sides[set >> rank & 1].push_back(rank == of - 1 ? 1000 : 10 * rank);
    }
    const Band band = BandOf(sides[0], sides[1], 1, 0);
    const double median = MedianOf(sides[1]);
    alarms += median > band.high || median < band.low;
  }
  return alarms;
}

TEST(BandTest, OfSixASideOnlyThoseThatPartAreAChange) {
  EXPECT_EQ(Alarms(12), 2);  // of 924: all above, all below
  EXPECT_EQ(Alarms(14), 2);
  // The far one makes a side's own spread wide: nothing is beyond twice of it.
  EXPECT_EQ(Alarms(6), 0);
  EXPECT_EQ(Alarms(10), 0);
}

TEST(BandTest, SixASideNeedNoMoreThanAQuantumBetween) {
  const std::vector<double> base{11, 12, 11, 11, 12, 11};
  const std::vector<double> now{14, 14, 14, 15, 14, 14};
  EXPECT_EQ(BandOf(base, now, 1, 0).high, 13);
  EXPECT_EQ(BandOf(base, now, 1, 0).low, 10);
  // One that is not above the base's: they are not parted.
  EXPECT_EQ(BandOf(base, {12, 14, 14, 15, 14, 14}, 1, 0).high, 15);
}

TEST(CompareRecordingsTest, ElevenOrTwelveArenasIsNoChange) {
  EXPECT_EQ(Compared({11, 12, 11}, {12, 12, 12}).verdict(),
            Verdict::kUnchanged);
  EXPECT_EQ(Compared({11, 11, 11}, {12, 12, 12}).verdict(),
            Verdict::kUnchanged);
}

TEST(CompareRecordingsTest, AboveTheBandIsARegressionAndBelowItBetter) {
  const Comparison worse = Compared({11, 12, 11}, {16, 16, 17});
  EXPECT_EQ(worse.verdict(), Verdict::kRegression);
  EXPECT_EQ(worse.Count(Verdict::kRegression), 2);  // arenas, and their bytes
  EXPECT_EQ(Compared({11, 12, 11}, {15, 15, 15}).verdict(),
            Verdict::kUnchanged);
  EXPECT_EQ(Compared({11, 12, 11}, {7, 7, 7}).verdict(), Verdict::kImprovement);
}

TEST(CompareRecordingsTest, FewerThanThreeASideDecideNothing) {
  const Comparison comparison = Compared({11, 12, 11}, {30, 30});
  EXPECT_EQ(comparison.verdict(), Verdict::kInconclusive);
  EXPECT_EQ(comparison.Count(Verdict::kRegression), 0);
}

TEST(CompareRecordingsTest, ABudgetWidensTheBand) {
  CompareOptions options;
  ASSERT_EQ(AddBudget("all=20M", &options.budgets), "");
  EXPECT_EQ(Compared({11, 12, 11}, {16, 16, 16}, options).verdict(),
            Verdict::kUnchanged);
}

TEST(CompareRecordingsTest, MeasuredMemoryOnAnotherMachineIsInconclusive) {
  auto now = Recordings({11, 11, 11});
  for (json& results : now) {
    results["machine"]["kernel"] = "6.8.0";
    results["allocators"][1]["summary"]["peak_rss_bytes"] = 90000000;
  }
  const Comparison comparison =
      CompareRecordings("base", Recordings({11, 11, 11}), "new", now, {});
  EXPECT_EQ(comparison.verdict(), Verdict::kInconclusive);
  EXPECT_NE(comparison.notes[0].find("environment changed: kernel"),
            std::string::npos);
}

TEST(CompareRecordingsTest, WhatIsGoneIsInconclusive) {
  auto now = Recordings({11, 11, 11});
  for (json& results : now) results["allocators"].erase(1);
  EXPECT_EQ(CompareRecordings("base", Recordings({11, 11, 11}), "new", now, {})
                .verdict(),
            Verdict::kInconclusive);
  EXPECT_THROW(CompareRecordings("base", {}, "new", now, {}), InputError);
}

// An unchanged program, its metric drawn from what a threaded suite's peak was
// seen to be in MiB, from a normal and from a long-tailed distribution.
TEST(CompareRecordingsTest, UnchangedProgramsAreHardlyEverAlarms) {
  std::mt19937 random(3);
  const std::vector<double> seen{12.6, 15.6, 12.6, 9.6, 16.6,
                                 7.6,  12.6, 12.6, 12.6};
  std::normal_distribution<double> normal(20, 3);
  std::exponential_distribution<double> tail(0.2);
  for (int kind = 0; kind < 3; ++kind) {
    int alarms = 0;
    for (int i = 0; i < 2000; ++i) {
      std::vector<double> base;
      std::vector<double> now;
      for (std::vector<double>* side : {&base, &base, &base, &now, &now, &now})
        side->push_back(kind == 0   ? seen[random() % seen.size()]
                        : kind == 1 ? normal(random)
                                    : tail(random));
      const Band band = BandOf(base, now, 1, 0);
      const double median = MedianOf(now);
      alarms += median > band.high || median < band.low;
    }
    EXPECT_LE(alarms, 20) << kind;  // one in a hundred
  }
}

TEST(CompareWithinTest, AnotherAllocatorOfTheSameSession) {
  json results = MakeResults();
  json patch = results["allocators"][0];
  patch["spelled"] = "pymalloc{keep_arenas:2}";
  patch["version"] = "another";
  patch["summary"]["end_held_bytes"] = 35651584 + 2097152;
  results["allocators"].push_back(patch);
  const Comparison comparison = CompareWithin("app", results, 0, 2, {}, {});
  EXPECT_TRUE(comparison.same_trace);
  EXPECT_EQ(comparison.verdict(), Verdict::kRegression);
  EXPECT_EQ(comparison.Count(Verdict::kRegression), 1);
  EXPECT_EQ(CompareWithin("app", results, 0, 0, {}, {}).verdict(),
            Verdict::kUnchanged);
}

TEST(CompareWithinTest, TimesOfTheSessionAreJudged) {
  json results = MakeResults();
  const std::vector<double> base(12, 20.0);
  results["allocators"][0]["time"] = {{"gross_ns_per_event", base},
                                      {"again_ns_per_event", base}};
  json patch = results["allocators"][0];
  patch["time"]["gross_ns_per_event"] = std::vector<double>(12, 22.0);
  results["allocators"].push_back(patch);
  const Comparison comparison = CompareWithin("app", results, 0, 2, {}, {});
  EXPECT_EQ(comparison.verdict(), Verdict::kRegression);
  EXPECT_DOUBLE_EQ(comparison.metrics.back().now, 1.1);
}

}  // namespace
}  // namespace arenalab
