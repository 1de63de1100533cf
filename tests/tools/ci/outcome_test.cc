// What is found in results, and that every surface says it, whole and safe.
#include "tools/ci/outcome.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tools/ci/baseline.h"
#include "tools/compare/comparison_text.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json Results() {
  return json::parse(R"({
    "marks": [{"name": "test_a", "request": 5, "sample": 0},
              {"name": "test_b", "request": 9, "sample": 2}],
    "allocators": [
      {"name": "mimalloc"},
      {"name": "pymalloc", "spelled": "pymalloc", "held_bytes": [100, 0, 400],
       "arenas": {"arena_bytes": 1048576, "live": [1, 2],
         "retention": {"last_valley": {"pinned": [
           {"arena": 0, "pinners": [{"site": "app/cache.py:88"},
                                    {"site": "app/cache.py:88"},
                                    {"site": null}]},
           {"arena": 3, "pinners": [{"site": "app/cache.py:88"},
                                    {"site": "lib/re.py:512"}]}]}}}}]})");
}

CiOutcome Worse(const std::string& name) {
  Comparison comparison;
  comparison.base_file = "base";
  comparison.new_file = "new";
  comparison.trace = "python3 <app> & \"more\"";
  ComparedMetric metric;
  metric.allocator = "pymalloc";
  metric.kind = kMetricKinds[0];
  metric.base = 10;
  metric.now = 20;
  metric.verdict = Verdict::kRegression;
  comparison.metrics = {metric};
  CiSubject subject{.name = name, .kind = "program"};
  subject.comparison = comparison;
  subject.pinners = PinnersOf(Results());
  subject.marks = MarksOf(Results());
  CiOutcome outcome;
  outcome.base = "main";
  outcome.subjects = {subject};
  return outcome;
}

TEST(PinnersTest, LinesByTheArenasThatTheyHold) {
  const std::vector<Pinner> pinners = PinnersOf(Results());
  ASSERT_EQ(pinners.size(), 2u);
  EXPECT_EQ(pinners[0].site, "app/cache.py:88");
  EXPECT_EQ(pinners[0].file, "app/cache.py");
  EXPECT_EQ(pinners[0].line, 88);
  EXPECT_EQ(pinners[0].blocks, 3);
  EXPECT_EQ(pinners[0].arenas, 2);
  EXPECT_EQ(pinners[1].arenas, 1);
}

TEST(PinnersTest, ARecordingWithoutSitesHasNone) {
  json results = Results();
  results["allocators"][1]["arenas"] = nullptr;
  EXPECT_TRUE(PinnersOf(results).empty());
  EXPECT_TRUE(PinnersOf(json::parse(R"({"allocators": []})")).empty());
}

TEST(MarksTest, HeldAfterEachAndTheWorstByGrowth) {
  const std::vector<MarkedHeld> marks = MarksOf(Results());
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].growth_bytes, 100);
  EXPECT_EQ(marks[1].held_bytes, 400);
  EXPECT_EQ(marks[1].growth_bytes, 300);
  EXPECT_EQ(WorstMarks(marks)[0].mark, "test_b");
  EXPECT_EQ(WorstMarks(std::vector<MarkedHeld>(9)).size(), 5u);
}

TEST(SurfacesTest, TheFirstLineIsTheVerdict) {
  const CiOutcome outcome = Worse("app");
  EXPECT_EQ(CiText(outcome).find("arenalab ci: 1 regression, "), 0u);
  EXPECT_EQ(CiMarkdown(outcome).find("### ❌ arenalab ci: 1 regression, "), 0u);
  EXPECT_THAT(CiMarkdown(outcome),
              HasSubstr("Pinned by: `app/cache.py:88` 3 blocks / 2 arenas"));
  EXPECT_THAT(CiMarkdown(outcome), HasSubstr("| `test_b` | 400 B | +300 B |"));
  const json parsed = json::parse(CiJson(outcome));
  EXPECT_EQ(parsed["schema"], "arenalab.ci/1");
  EXPECT_EQ(parsed["verdict"], "regression");
  EXPECT_EQ(parsed["subjects"][0]["pinned_by"][0]["arenas"], 2);
}

TEST(SurfacesTest, AnnotationsStandOnTheLinesThatPin) {
  const std::string text = CiAnnotations(Worse("50%,\napp"));
  EXPECT_THAT(text,
              HasSubstr("::error title=arenalab::50%25,%0Aapp: 1 metric"));
  EXPECT_THAT(text, HasSubstr("::warning file=app/cache.py,line=88,"
                              "title=arenalab%3A pinned arenas::3 blocks"));
  CiOutcome fine = Worse("app");
  fine.subjects[0].comparison->metrics[0].verdict = Verdict::kUnchanged;
  EXPECT_EQ(CiAnnotations(fine), "");
}

TEST(SurfacesTest, NoMoreAnnotationsThanGithubShows) {
  CiOutcome outcome = Worse("app");
  for (int i = 0; i < 20; ++i) outcome.subjects.push_back(outcome.subjects[0]);
  const std::string text = CiAnnotations(outcome);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), kMostAnnotations);
}

TEST(SurfacesTest, JunitIsXmlWhateverTheNames) {
  const std::string xml = CiJunit(Worse("<a> & \"b\"\x01"));
  EXPECT_THAT(xml, HasSubstr("classname=\"&lt;a&gt; &amp; &quot;b&quot;\""));
  EXPECT_THAT(xml, HasSubstr("failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"regression: 10 -&gt; 20\"/>"));
}

TEST(SurfacesTest, MarkdownStaysBelowGithubsLimit) {
  CiOutcome outcome = Worse(std::string(2000, 'x'));
  for (int i = 0; i < 100; ++i) outcome.subjects.push_back(outcome.subjects[0]);
  const std::string text = CiMarkdown(outcome);
  EXPECT_LT(text.size(), kMostMarkdownBytes + 100);
  EXPECT_EQ(text.find("### ❌ arenalab ci: 101 regressions"), 0u);
}

TEST(SurfacesTest, WithoutABaselineNothingIsJudged) {
  CiOutcome outcome = Worse("app");
  outcome.subjects[0].comparison.reset();
  EXPECT_EQ(outcome.verdict(), Verdict::kUnchanged);
  EXPECT_FALSE(outcome.has_baseline());
  EXPECT_THAT(CiJunit(outcome), HasSubstr("skipped message=\"no baseline\""));
}

TEST(BaselineTest, HoldsWhatIsComparedAndNothingElse) {
  const json kept = Comparable(Results());
  EXPECT_FALSE(kept.contains("marks"));
  EXPECT_FALSE(kept["allocators"][1].contains("held_bytes"));
  EXPECT_FALSE(kept["allocators"][1]["arenas"].contains("live"));
  EXPECT_EQ(kept["allocators"][1]["arenas"]["arena_bytes"], 1048576);
}

TEST(BaselineTest, ComesBackAsItWasWritten) {
  const std::string path = testing::TempDir() + "/deep/baseline.json";
  const Baseline baseline{{"app", {Comparable(Results())}}};
  WriteBaseline(path, baseline);
  EXPECT_EQ(ReadBaseline(path), baseline);
  EXPECT_EQ(ReadBaseline(path + ".missing"), std::nullopt);
  EXPECT_THROW(ReadBaseline("/proc/self/cmdline"), InputError);
}

}  // namespace
}  // namespace arenalab
