// The three forms of a comparison: same verdict, same numbers, nothing lost.
#include "tools/compare/comparison_text.h"

#include <gtest/gtest.h>

#include "tests/tools/compare/results_pair.h"

namespace arenalab {
namespace {

using nlohmann::json;

Comparison Worse() {
  json now = MakeResults();
  now["allocators"][0]["arenas"]["live_at_end"] = 51;
  now["allocators"][0]["summary"]["end_held_bytes"] = 53477376;
  now["allocators"][0]["summary"]["peak_held_bytes"] = 42991617;
  now["allocators"][0]["summary"]["jw1"] = 0.20;
  return Compare("base.json", MakeResults(), "new.json", now, {});
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ComparisonTextTest, BeginsWithTheVerdict) {
  const std::string text = ComparisonText(Worse(), false);
  EXPECT_TRUE(text.starts_with(
      "3 regressions, 1 improvement, 15 unchanged, 0 inconclusive\n"))
      << text;
  EXPECT_TRUE(Has(text, "arenas_live_at_end"));
  EXPECT_TRUE(Has(text, "+50.0 %")) << text;  // 34 -> 51
  EXPECT_TRUE(Has(text, "53,477,376")) << text;
  EXPECT_TRUE(Has(text, "-20.0 %")) << text;  // jw1
  EXPECT_FALSE(Has(text, "drain_bytes"));
  EXPECT_TRUE(Has(ComparisonText(Worse(), true), "drain_bytes"));
}

TEST(ComparisonTextTest, AChangeThatRoundsToNothingIsShownInBytes) {
  const std::string text = ComparisonText(Worse(), false);
  EXPECT_TRUE(Has(text, " +1 ")) << text;  // 42,991,616 -> 42,991,617
  EXPECT_FALSE(Has(text, "+0.0 %")) << text;
}

TEST(ComparisonTextTest, SaysWhatIsMissing) {
  json now = MakeResults();
  now["allocators"].erase(1);
  const Comparison comparison = Compare("b", MakeResults(), "n", now, {});
  EXPECT_TRUE(
      Has(ComparisonText(comparison, false), "inconclusive, 1 missing"));
  EXPECT_TRUE(ComparisonMarkdown(comparison, false).starts_with("### ❔"));
}

TEST(ComparisonMarkdownTest, IsATableUnderItsVerdict) {
  const std::string text = ComparisonMarkdown(Worse(), false);
  EXPECT_TRUE(text.starts_with("### ❌ arenalab: 3 regressions")) << text;
  EXPECT_TRUE(Has(text,
                  "| ▲ | arenas_live_at_end | pymalloc | 34 | 51 | "
                  "+50.0 % | regression |"))
      << text;
  const Comparison same = Compare("b", MakeResults(), "n", MakeResults(), {});
  EXPECT_TRUE(ComparisonMarkdown(same, false).starts_with("### ✅"));
  EXPECT_FALSE(Has(ComparisonMarkdown(same, false), "|"));
}

TEST(ComparisonMarkdownTest, ABarInANameDoesNotEndTheCell) {
  Comparison comparison = Worse();
  for (ComparedMetric& metric : comparison.metrics) metric.allocator = "a|b";
  EXPECT_TRUE(Has(ComparisonMarkdown(comparison, false), "| a\\|b |"));
}

TEST(ComparisonMarkdownTest, CutsRowsBeforeTheVerdict) {
  Comparison comparison = Worse();
  const std::vector<ComparedMetric> metrics = comparison.metrics;
  for (int i = 0; i < 500; ++i) {
    comparison.metrics.insert(comparison.metrics.end(), metrics.begin(),
                              metrics.end());
  }
  const std::string text = ComparisonMarkdown(comparison, true);
  EXPECT_LE(text.size(), kMostMarkdownBytes);
  EXPECT_TRUE(text.starts_with("### ❌ arenalab: 1503 regressions"));
  EXPECT_TRUE(Has(text, "more rows were cut"));
}

TEST(ComparisonJsonTest, HoldsEveryMetric) {
  const json parsed = json::parse(ComparisonJson(Worse()));
  EXPECT_EQ(parsed["schema"], "arenalab.compare/1");
  EXPECT_EQ(parsed["verdict"], "regression");
  EXPECT_EQ(parsed["counts"]["regression"], 3);
  EXPECT_EQ(parsed["counts"]["unchanged"], 15);
  EXPECT_EQ(parsed["metrics"].size(), 19u);
  const json& first = parsed["metrics"][0];
  EXPECT_EQ(first["allocator"], "pymalloc");
  EXPECT_EQ(first["metric"], "peak_held_bytes");
  EXPECT_EQ(first["certainty"], "exact");
  EXPECT_EQ(first["base"], 42991616);
  EXPECT_EQ(first["new"], 42991617);
}

}  // namespace
}  // namespace arenalab
