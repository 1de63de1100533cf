// The page as text: what must be readable without a script, what must never
// get into it, and which results are refused.
#include "visualizer/report.h"

#include <gtest/gtest.h>

#include <regex>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

nlohmann::json Results() {
  return nlohmann::json::parse(R"({
    "schema": "arenalab.results/1", "tool": "0.1.0", "complete": true,
    "command": ["arenalab", "replay", "run.trace"],
    "machine": {"cpu": "a processor", "cores": 2},
    "trace": {"program": "/usr/bin/python3 app.py", "python": "3.11.2",
              "requests": 30, "threads": 1, "lost": 0, "warnings": []},
    "verify": null,
    "options": {"scope": "python", "touch": "header"},
    "timeline": {"request": [0, 10, 30], "allocated_bytes": [0, 100, 300],
                 "time_ns": [0, 5, 9], "requested_bytes": [0, 2048, 1024],
                 "requested_small_bytes": [0, 2048, 1024],
                 "live_objects": [0, 2, 1]},
    "marks": [], "moments": {"peak": 1, "valleys": [], "last_valley": null,
                             "end": 2},
    "limits": {"class_repack": null},
    "allocators": [{"name": "pymalloc", "spelled": "pymalloc",
        "label": "replayed exactly", "version": "",
        "rss_bytes": [0, 4096, 8192],
        "summary": {"peak_rss_bytes": 8192, "end_rss_bytes": 8192,
                    "last_valley_rss_bytes": null},
        "time": null, "map": null}],
    "verdict": {"lines": ["Peak: pymalloc holds 8 KiB.", "No heading here"]}
  })");
}

class ReportTest : public testing::Test {
 protected:
  static std::string Render(const nlohmann::json& results) {
    return RenderReport(results, ReportOptions{.reproducible = true});
  }
  void SetUp() override {
    try {
      Render(Results());
    } catch (const InputError& error) {
      const std::string what = error.what();
      if (what.find("not built") != std::string::npos) GTEST_SKIP() << what;
      throw;
    }
  }
};

TEST_F(ReportTest, HoldsVerdictTableAndProvenanceAsText) {
  const std::string page = Render(Results());
  EXPECT_NE(page.find("<dt>Peak</dt><dd>pymalloc holds 8 KiB.</dd>"),
            std::string::npos);
  EXPECT_NE(page.find("<dd>No heading here</dd>"), std::string::npos);
  EXPECT_NE(page.find("<h1>python3 app.py</h1>"), std::string::npos);
  EXPECT_NE(page.find("8.00 KiB<span class=\"label\">4.00 ×</span>"),
            std::string::npos)
      << "8192 resident for 2048 requested";
  EXPECT_NE(page.find("/usr/bin/python3 app.py"), std::string::npos);
  EXPECT_EQ(page.find("class=\"warning\""),
            page.find("class=\"warning\"", page.find("<script>")))
      << "nothing to warn of";
}

TEST_F(ReportTest, NoPlaceholderIsLeft) {
  EXPECT_FALSE(
      std::regex_search(Render(Results()), std::regex("\\{\\{[A-Z_]+\\}\\}")));
}

TEST_F(ReportTest, PolicyForbidsEveryRequestAndNamesTheScriptsByHash) {
  const std::string page = Render(Results());
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(page.find("connect-src 'none'"), std::string::npos);
  EXPECT_NE(page.find("script-src 'sha256-"), std::string::npos);
  EXPECT_EQ(page.find("unsafe-inline"), std::string::npos);
  EXPECT_FALSE(std::regex_search(
      page, std::regex("(src|href)=\"?(https?:)?//", std::regex::icase)));
}

TEST_F(ReportTest, IncompleteLostAndMismatchingRunsAreWarnedOf) {
  nlohmann::json results = Results();
  results["complete"] = false;
  results["trace"]["lost"] = 1234;
  results["trace"]["warnings"] = {"the clock went backwards"};
  results["verify"] = {{"status", "mismatch"},
                       {"mismatches", 3},
                       {"first", "event 17"},
                       {"reason", ""}};
  const std::string page = Render(results);
  EXPECT_NE(page.find("The recording is incomplete."), std::string::npos);
  EXPECT_NE(page.find("1\u202f234 events were lost."), std::string::npos);
  EXPECT_NE(page.find("the clock went backwards"), std::string::npos);
  EXPECT_NE(page.find("3 addresses differ"), std::string::npos);
}

TEST_F(ReportTest, TextOfTheResultsIsNeverMarkup) {
  nlohmann::json results = Results();
  results["trace"]["program"] = "</script><script>alert(1)</script>";
  results["verdict"]["lines"] = {"<img src=x>{{RESULTS}}"};
  results["allocators"][0]["spelled"] = "<b>\"&";
  results["marks"] = {{{"name", "</script><!--"}}};
  const std::string page = Render(results);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("</script><!--"), std::string::npos);
  EXPECT_NE(page.find("&lt;img src=x&gt;{{RESULTS}}"), std::string::npos)
      << "a value is not filled a second time";
}

TEST_F(ReportTest, ARunOfManyProcessesIsATreeWithAWayToEachMap) {
  EXPECT_EQ(Render(Results()).find("id=\"processes\""), std::string::npos)
      << "a run of one process";
  nlohmann::json results = Results();
  const auto member = [](int process, int parent, const char* file) {
    return nlohmann::json{{"file", file},
                          {"process", process},
                          {"parent_process", parent},
                          {"forked", parent != 1},
                          {"program", "python3 <app>"},
                          {"requests", 12},
                          {"is_this", process == 10},
                          {"page", nullptr},
                          {"began_ns", 0},
                          {"peak_pss_bytes", 3 * 1024},
                          {"peak_private_bytes", 2 * 1024},
                          {"pss_bytes", {1024, 3072, nullptr}},
                          {"private_bytes", {1024, 2048, nullptr}}};
  };
  results["processes"] = {
      {"words", "3 processes."},
      {"worst", 2},
      {"duration_ns", 2'000'000'000},
      {"peak_pss_bytes", 9 * 1024},
      {"members",
       {member(10, 1, "a.trace"), member(11, 10, "a.11.trace"),
        member(12, 11, "a.12.trace")}}};
  results["processes"]["members"][2]["page"] = "a 12#.html";
  const std::string page = Render(results);
  EXPECT_NE(page.find("<p>3 processes.</p>"), std::string::npos);
  EXPECT_NE(page.find("python3 &lt;app&gt;"), std::string::npos);
  EXPECT_NE(page.find("<a href=\"#heap\">"), std::string::npos) << "its own";
  EXPECT_NE(page.find("arenalab report a.11.trace"), std::string::npos);
  EXPECT_NE(page.find("<a href=\"a%2012%23.html#heap\">"), std::string::npos);
  EXPECT_NE(page.find(" 12 <b>worst</b>"), std::string::npos);
  // A child of a child stands one further in.
  EXPECT_NE(page.find("<th scope=\"row\">\u2003\u2514"), std::string::npos);
}

TEST_F(ReportTest, InvalidUtf8InNamesIsReplacedNotFatal) {
  nlohmann::json results = Results();
  results["trace"]["file"] = "caf\xe9.trace";
  EXPECT_NE(Render(results).find("caf"), std::string::npos);
}

TEST_F(ReportTest, EqualResultsGiveEqualBytesWhenAsked) {
  const std::string page = Render(Results());
  EXPECT_EQ(page, Render(Results()));
  EXPECT_FALSE(std::regex_search(page, std::regex("Written by arenalab "
                                                  "[0-9.]+ on 20")));
  EXPECT_TRUE(std::regex_search(RenderReport(Results(), {}),
                                std::regex("Written by arenalab [0-9.]+ on "
                                           "20[0-9-]+ at")));
}

TEST_F(ReportTest, TheMapStandsInABlockOfItsOwnAndOnlyAsBase64) {
  nlohmann::json results = Results();
  results["allocators"][0]["map"] = {{"data", "AAA</script>="}};
  const std::string page = Render(results);
  EXPECT_NE(page.find("id=\"map-0\">AAA!/script!=</script>"),
            std::string::npos);
  EXPECT_EQ(page.find("\"data\""), std::string::npos);
}

TEST_F(ReportTest, WhatWouldMakeThePageTooLargeIsLeftOutAndTold) {
  nlohmann::json results = Results();
  results["allocators"][0]["map"] = {{"data", std::string(400, 'A')}};
  results["allocators"][0]["objects"] = {{"data", std::string(700, 'B')},
                                         {"count", 3}};
  const auto has = [&](std::size_t most_bytes, const char* text) {
    return RenderReport(results,
                        {.reproducible = true, .most_bytes = most_bytes})
               .find(text) != std::string::npos;
  };
  for (const std::size_t all : {std::size_t{0}, std::size_t{1100}}) {
    EXPECT_TRUE(has(all, "id=\"map-0\""));
    EXPECT_TRUE(has(all, "id=\"objects-0\""));
    EXPECT_FALSE(has(all, "This page leaves out"));
  }
  EXPECT_TRUE(has(1099, "id=\"map-0\""));
  EXPECT_FALSE(has(1099, "id=\"objects-0\""));
  EXPECT_TRUE(has(1099, "This page leaves out the list of objects (700 B)"));
  EXPECT_FALSE(has(399, "id=\"map-0\""));
  EXPECT_TRUE(has(399, "maps (400 B)"));
}

TEST_F(ReportTest, WhatIsNoResultsFileIsRefused) {
  EXPECT_THROW(Render(nlohmann::json::array()), InputError);
  EXPECT_THROW(Render({{"schema", "arenalab.results/2"}}), InputError);
  for (const char* part : {"timeline", "allocators", "moments"}) {
    nlohmann::json results = Results();
    results.erase(part);
    EXPECT_THROW(Render(results), InputError) << part;
  }
  nlohmann::json results = Results();
  results["timeline"]["time_ns"] = {1};
  EXPECT_THROW(Render(results), InputError) << "columns of unequal length";
}

TEST_F(ReportTest, WhatIsUnknownReadsNotAvailable) {
  nlohmann::json results = Results();
  results["allocators"][0]["summary"] = nullptr;
  results["allocators"][0]["rss_bytes"] = nullptr;
  EXPECT_NE(Render(results).find("n/a"), std::string::npos);
}

}  // namespace
}  // namespace arenalab
