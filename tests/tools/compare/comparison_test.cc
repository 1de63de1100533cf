// What is a regression, what is not, and what cannot be said.
#include "tools/compare/comparison.h"

#include <gtest/gtest.h>

#include "tests/tools/compare/results_pair.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

Comparison Compared(const json& now, const CompareOptions& options = {}) {
  return Compare("base.json", MakeResults(), "new.json", now, options);
}

const ComparedMetric& Metric(const Comparison& comparison,
                             const std::string& allocator,
                             const std::string& name) {
  for (const ComparedMetric& metric : comparison.metrics) {
    if (metric.allocator == allocator && metric.kind.name == name) {
      return metric;
    }
  }
  ADD_FAILURE() << "no metric " << name << " of " << allocator;
  return comparison.metrics.front();
}

TEST(CompareTest, EqualFilesAreUnchanged) {
  const Comparison comparison = Compared(MakeResults());
  EXPECT_EQ(comparison.verdict(), Verdict::kUnchanged);
  // 10 of pymalloc's summary, its 4 of arenas and its time; 3 and 1 of
  // mimalloc's.
  EXPECT_EQ(comparison.Count(Verdict::kUnchanged), 19);
  EXPECT_TRUE(comparison.notes.empty());
}

TEST(CompareTest, OneByteMoreInAnExactMetricIsARegression) {
  json now = MakeResults();
  now["allocators"][0]["summary"]["peak_held_bytes"] = 42991617;
  const Comparison comparison = Compared(now);
  EXPECT_EQ(comparison.verdict(), Verdict::kRegression);
  EXPECT_EQ(comparison.Count(Verdict::kRegression), 1);
  EXPECT_EQ(Metric(comparison, "pymalloc", "peak_held_bytes").verdict,
            Verdict::kRegression);
}

TEST(CompareTest, OneByteLessIsAnImprovement) {
  json now = MakeResults();
  now["allocators"][0]["summary"]["peak_held_bytes"] = 42991615;
  EXPECT_EQ(Compared(now).verdict(), Verdict::kImprovement);
}

TEST(CompareTest, ABudgetAllowsGrowthUpToItAndNotBeyond) {
  CompareOptions options;
  ASSERT_EQ(AddBudget("arenas_created=2", &options.budgets), "");
  json now = MakeResults();
  now["allocators"][0]["arenas"]["created"] = 43;
  EXPECT_EQ(Compared(now, options).verdict(), Verdict::kUnchanged);
  now["allocators"][0]["arenas"]["created"] = 44;
  EXPECT_EQ(Compared(now, options).verdict(), Verdict::kRegression);
}

TEST(CompareTest, ArenasReleasedAreToldNotJudged) {
  json now = MakeResults();
  now["allocators"][0]["arenas"]["released"] = 9;
  const Comparison comparison = Compared(now);
  EXPECT_EQ(comparison.verdict(), Verdict::kUnchanged);
  EXPECT_EQ(comparison.Count(Verdict::kTold), 1);
}

TEST(CompareTest, ARegressionOutranksImprovementsAndDoubts) {
  json now = MakeResults();
  now["allocators"][0]["summary"]["peak_held_bytes"] = 1;
  now["allocators"][0]["summary"]["end_held_bytes"] = 35651585;
  now["allocators"][1]["time"]["ratio_to_pymalloc"] = {
      {"median", 2}, {"low", 1.9}, {"high", 2.1}};
  const Comparison comparison = Compared(now);
  EXPECT_EQ(comparison.Count(Verdict::kImprovement), 1);
  EXPECT_EQ(comparison.Count(Verdict::kInconclusive), 1);
  EXPECT_EQ(comparison.verdict(), Verdict::kRegression);
}

TEST(CompareTest, MeasuredMemoryIsJudgedByARange) {
  json now = MakeResults();
  json& rss = now["allocators"][1]["summary"]["peak_rss_bytes"];
  rss = 46000000 + 4600000;
  EXPECT_EQ(Compared(now).verdict(), Verdict::kUnchanged);
  rss = 46000000 + 4600001;
  EXPECT_EQ(Compared(now).verdict(), Verdict::kRegression);
  rss = 46000000 - 4600001;
  EXPECT_EQ(Compared(now).verdict(), Verdict::kImprovement);
  CompareOptions wide;
  wide.range = 0.5;
  EXPECT_EQ(Compared(now, wide).verdict(), Verdict::kUnchanged);
}

TEST(CompareTest, OfLittleMeasuredMemoryTheRangeIsAMebibyte) {
  json base = MakeResults();
  json now = MakeResults();
  base["allocators"][1]["summary"]["peak_rss_bytes"] = 1000000;
  now["allocators"][1]["summary"]["peak_rss_bytes"] = 1000000 + (1 << 20);
  EXPECT_EQ(Compare("b", base, "n", now, {}).verdict(), Verdict::kUnchanged);
  now["allocators"][1]["summary"]["peak_rss_bytes"] = 1000001 + (1 << 20);
  EXPECT_EQ(Compare("b", base, "n", now, {}).verdict(), Verdict::kRegression);
}

TEST(CompareTest, RatiosOfMeasuredMemoryAreLeftOut) {
  json base = MakeResults();
  json now = MakeResults();
  base["allocators"][1]["summary"]["jw1"] = 0.01;
  now["allocators"][1]["summary"]["jw1"] = 0.09;
  EXPECT_EQ(Compare("b", base, "n", now, {}).verdict(), Verdict::kUnchanged);
}

TEST(CompareTest, MeasuredMemoryOfAnotherMachineOrLibraryIsInconclusive) {
  json now = MakeResults();
  now["allocators"][1]["summary"]["peak_rss_bytes"] = 90000000;
  now["machine"]["kernel"] = "6.8.0";
  const Comparison machine = Compared(now);
  EXPECT_EQ(machine.verdict(), Verdict::kInconclusive);
  EXPECT_EQ(Metric(machine, "mimalloc", "peak_rss_bytes").why,
            "kernel 6.1.0 -> 6.8.0");
  now["machine"]["kernel"] = "6.1.0";
  now["allocators"][1]["version"] = "2.1.2";
  const Comparison library = Compared(now);
  EXPECT_EQ(Metric(library, "mimalloc", "peak_rss_bytes").why,
            "library version 2.0.9 -> 2.1.2");
}

TEST(CompareTest, ExactMetricsAreJudgedOnAnyMachine) {
  json now = MakeResults();
  now["machine"]["kernel"] = "6.8.0";
  now["allocators"][0]["summary"]["end_held_bytes"] = 35651585;
  EXPECT_EQ(Compared(now).verdict(), Verdict::kRegression);
}

TEST(CompareTest, TimesAreInconclusiveAtMost) {
  json now = MakeResults();
  json& ratio = now["allocators"][1]["time"]["ratio_to_pymalloc"];
  ratio = {{"median", 0.97}, {"low", 0.94}, {"high", 1.0}};
  EXPECT_EQ(Compared(now).verdict(), Verdict::kUnchanged);  // they overlap
  ratio = {{"median", 9}, {"low", 8}, {"high", 10}};
  const Comparison comparison = Compared(now);
  EXPECT_EQ(comparison.verdict(), Verdict::kInconclusive);
  EXPECT_EQ(Metric(comparison, "mimalloc", "time_ratio").why,
            "times of separate runs");
}

TEST(CompareTest, OfAnotherTraceNothingIsDecided) {
  json now = MakeResults();
  now["trace"]["hash"] = "fedcba9876543210";
  now["allocators"][0]["summary"]["peak_held_bytes"] = 99999999;
  now["allocators"][1]["summary"]["peak_rss_bytes"] = 99999999;
  const Comparison comparison = Compared(now);
  EXPECT_EQ(comparison.Count(Verdict::kRegression), 0);
  EXPECT_EQ(comparison.Count(Verdict::kInconclusive), 2);
  EXPECT_EQ(comparison.verdict(), Verdict::kInconclusive);
  EXPECT_FALSE(comparison.notes.empty());
  // Two files without a hash are not known to be of one trace.
  json base = MakeResults();
  base["trace"].erase("hash");
  now["trace"].erase("hash");
  EXPECT_FALSE(Compare("b", base, "n", now, {}).same_trace);
}

TEST(CompareTest, WhatTheNewFileLacksIsInconclusiveNotPassed) {
  json without = MakeResults();
  without["allocators"].erase(0);
  const Comparison gone = Compared(without);
  EXPECT_EQ(gone.verdict(), Verdict::kInconclusive);
  EXPECT_EQ(gone.missing, 1);
  json unknown = MakeResults();
  unknown["allocators"][0]["summary"]["peak_held_bytes"] = nullptr;
  EXPECT_EQ(Compared(unknown).verdict(), Verdict::kInconclusive);
  // What is new is no doubt about the old.
  json more = MakeResults();
  more["allocators"].push_back({{"name", "bump"}});
  EXPECT_EQ(Compared(more).verdict(), Verdict::kUnchanged);
}

TEST(CompareTest, IncompleteTracesAndFailedModelsAreNoted) {
  json now = MakeResults();
  now["complete"] = false;
  now["verify"]["status"] = "mismatch";
  EXPECT_EQ(Compared(now).notes.size(), 2u);
}

TEST(CompareTest, WhatCannotBeComparedIsAnInputError) {
  json scope = MakeResults();
  scope["options"]["scope"] = "process";
  EXPECT_THROW(Compared(scope), InputError);
  json none = MakeResults();
  none["allocators"] = json::array({{{"name", "other"}}});
  EXPECT_THROW(Compared(none), InputError);
}

// Fields of the wrong kind are not known, and nothing is thrown for them.
TEST(CompareTest, FieldsOfTheWrongKindAreAsGoodAsNone) {
  json now = MakeResults();
  now["machine"] = 3;
  now["allocators"][0]["summary"] = "many";
  now["allocators"][0]["arenas"] = nullptr;
  now["allocators"][0]["time"] = 3;
  now["allocators"][1]["time"]["ratio_to_pymalloc"] = "fast";
  EXPECT_EQ(Compared(now).verdict(), Verdict::kInconclusive);
}

}  // namespace
}  // namespace arenalab
