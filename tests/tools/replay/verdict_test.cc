// The verdict's words from a results object written by hand.
#include "tools/replay/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/replay/prediction_error.h"
#include "tools/replay/readable.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// Two samples: 0 is the peak, 1 the last valley and the end. Sizes in MiB.
Json Results() {
  return Json::parse(R"({
    "complete": true,
    "verify": {"status": "equal", "compared": 900, "mismatches": 0,
               "python": "3.12.1"},
    "trace": {"replayed": 1000},
    "options": {"scope": "python", "touch": "header", "time": "clock stopped"},
    "timeline": {"requested_bytes": [16777216, 3145728],
                 "requested_small_bytes": [8388608, 1048576]},
    "moments": {"peak": 0, "valleys": [1], "last_valley": 1, "end": 1},
    "limits": {"class_repack": [9437184, 2097152],
               "page_load": [16777216, 3145728]},
    "allocators": [
      {"name": "pymalloc", "spelled": "pymalloc",
       "settings": {"geometry": "cpython-3.11"},
       "held_bytes": [10485760, 8388608],
       "rss_bytes": [18874368, 10485760], "rss_recorded_bytes": null,
       "waterfall": {
         "parts": ["requested", "rounding", "pool_headers", "pool_tails",
                   "free_blocks", "free_pools", "arena_rest", "metadata"],
         "bytes": [[8388608, 2097152, 0, 0, 0, 0, 0, 0],
                   [1048576, 0, 0, 0, 5242880, 2097152, 0, 0]]},
       "arenas": {"arena_bytes": 1048576, "created": 12, "released": 4,
                  "live": [10, 8],
                  "live_blocks": {"last_valley": [1, 2, 3, 4, 50, 60, 70, 80]}},
       "summary": {"peak_held_bytes": 10485760, "last_valley_held_bytes": 8388608,
                   "peak_committed_bytes": 9437184, "peak_rss_bytes": 18874368,
                   "last_valley_rss_bytes": 10485760,
                   "last_valley_rss_recorded_bytes": null, "end_rss_bytes": 10485760,
                   "peak_rss_recorded_bytes": null, "end_rss_recorded_bytes": null},
       "time": {"gross_median": 25.0, "net_median": 20.0,
                "ratio_to_pymalloc": {"median": 1.0, "low": 0.98, "high": 1.02,
                                      "verdict": "no difference"}}},
      {"name": "jemalloc", "spelled": "jemalloc{dirty_decay_ms:0}",
       "settings": {}, "held_bytes": null, "waterfall": null, "arenas": null,
       "rss_bytes": [18874368, 5242880],
       "rss_recorded_bytes": [18874368, 1048576],
       "summary": {"peak_held_bytes": null, "last_valley_held_bytes": null,
                   "peak_committed_bytes": 18874368, "peak_rss_bytes": 18874368,
                   "last_valley_rss_bytes": 5242880,
                   "last_valley_rss_recorded_bytes": 1048576, "end_rss_bytes": 5242880,
                   "peak_rss_recorded_bytes": 18874368, "end_rss_recorded_bytes": 1048576},
       "time": {"gross_median": 30.0, "net_median": 25.0,
                "ratio_to_pymalloc": {"median": 1.2, "low": 1.15, "high": 1.25,
                                      "verdict": "slower"}}}
    ]})");
}

TEST(Verdict, SaysWhatIsHeldWhyByWhomAndWhatOthersDo) {
  const auto lines = VerdictLines(Results());
  EXPECT_THAT(lines, SizeIs(testing::Le(kMostVerdictLines)));
  EXPECT_THAT(lines,
              Contains(HasSubstr("16.0 MiB requested at the peak 50 %")));
  EXPECT_THAT(lines, Contains(HasSubstr(
                         "Peak: pymalloc (cpython-3.11) holds 10.0 MiB in 10 "
                         "arenas for 8.00 MiB of small requests: 1.25x")));
  EXPECT_THAT(lines, Contains(HasSubstr("for 1.00 MiB of small requests: 8.00x "
                                        "(one that compacts each class: "
                                        "2.00x)")));
  EXPECT_THAT(lines, Contains(HasSubstr("12 % is live, 62 % free blocks, 25 % "
                                        "free pools.")));
  EXPECT_THAT(lines,
              Contains(HasSubstr("4 of its 8 arenas (4.00 MiB) are held by 10 "
                                 "blocks there; 4 of 12 arenas were "
                                 "released")));
  EXPECT_THAT(
      lines,
      Contains(HasSubstr(
          "last valley: least jemalloc{dirty_decay_ms:0} 5.00 MiB (1.67x) "
          "[1.00 MiB with the program's idle time]; then pymalloc "
          "(cpython-3.11) 10.0 MiB (3.33x). Nothing holds less than 3.00 MiB "
          "(1.00x).")));
  EXPECT_THAT(lines,
              Contains(HasSubstr(
                  "nobody is measurably faster than pymalloc (cpython-3.11); "
                  "pymalloc (cpython-3.11) 20.0 ns an event net of the replay "
                  "loop (itself again: [0.98, 1.02]), "
                  "jemalloc{dirty_decay_ms:0} 1.20x the time [1.15, 1.25]: "
                  "slower.")));
  EXPECT_THAT(lines, Contains(HasSubstr(
                         "900 addresses compared with Python 3.12.1's, 0 "
                         "mismatches")));
}

TEST(Verdict, SaysHowFarPredictionsWereFromRealRuns) {
  const std::string line = VerdictLines(Results()).back();
  EXPECT_THAT(line, HasSubstr("Error: held against Python really running"));
  for (const PredictionError& error : kPredictionErrors) {
    EXPECT_GE(error.worst_percent, error.median_percent);
    const bool is_here =
        error.allocator == "pymalloc" || error.allocator == "jemalloc";
    const std::string told = "% (" + std::string(error.allocator) + ")";
    EXPECT_EQ(line.find(told) != std::string::npos, is_here) << line;
  }
}

TEST(Verdict, EqualMemoryIsNotADifference) {
  EXPECT_THAT(VerdictLines(Results()),
              Contains(HasSubstr("Resident at the peak, all requests: all "
                                 "alike within 2 %: pymalloc")));
}

TEST(Verdict, TheFastestIsNamedWithItsIntervalIfItIsMoreThanNoise) {
  Json results = Results();
  Json& ratio = results["allocators"][1]["time"]["ratio_to_pymalloc"];
  ratio = {
      {"median", 0.7}, {"low", 0.65}, {"high", 0.75}, {"verdict", "faster"}};
  EXPECT_THAT(
      VerdictLines(results),
      Contains(HasSubstr("fastest is jemalloc{dirty_decay_ms:0}, 0.70x the "
                         "time [0.65, 0.75] of pymalloc (cpython-3.11), more "
                         "than noise;")));
  ratio = {{"median", 0.99},
           {"low", 0.97},
           {"high", 1.01},
           {"verdict", "no difference"}};
  EXPECT_THAT(VerdictLines(results),
              Contains(HasSubstr("jemalloc{dirty_decay_ms:0} 0.99x the time "
                                 "[0.97, 1.01]: no difference.")));
}

TEST(Verdict, BeginsWithWhoseTheResidentSetWas) {
  Json results = Results();
  EXPECT_THAT(VerdictLines(results)[0], HasSubstr("requested at the peak"));
  results["timeline"]["request"] = {10, 990};
  results["largest_process_rss"] = {{"rss_bytes", 25165824}, {"sample", 0}};
  results["allocators"][0]["committed_bytes"] = {11010048, 8388608};
  EXPECT_EQ(
      VerdictLines(results)[0],
      "Whose: of 24.0 MiB resident, 44 % (10.5 MiB) is pymalloc's, 512 "
      "KiB of it free, 33 % (8.00 MiB) is what Python has from the C "
      "library, 23 % (5.50 MiB) is code's, stacks', the C library's own "
      "and what was not recorded. (The largest reading, near request 10.)");
  results["largest_process_rss"] = {{"rss_bytes", 14680064}, {"sample", 1}};
  EXPECT_THAT(VerdictLines(results)[0],
              testing::StartsWith("Whose: of 14.0 MiB resident, 57 % (8.00 "
                                  "MiB) is pymalloc's, 7.00 MiB of it free"));
  // Read before the program had what the sample counts.
  results["largest_process_rss"] = {{"rss_bytes", 7340032}, {"sample", 1}};
  EXPECT_THAT(VerdictLines(results)[0],
              HasSubstr("; 3.00 MiB of these came or went between two looks."));
}

TEST(Verdict, NoValleyIsSaid) {
  Json results = Results();
  results["moments"]["last_valley"] = nullptr;
  results["allocators"][0]["arenas"]["live_blocks"]["last_valley"] = nullptr;
  const auto lines = VerdictLines(results);
  EXPECT_THAT(lines, Contains(HasSubstr("Valley: none")));
  EXPECT_THAT(lines, Each(Not(HasSubstr("at the last valley"))));
}

TEST(Verdict, AnIncompleteTraceIsTheFirstWord) {
  Json results = Results();
  results["complete"] = false;
  EXPECT_THAT(VerdictLines(results).front(), HasSubstr("incomplete"));
}

TEST(Verdict, WithoutPymallocTheOthersRemain) {
  Json results = Results();
  results["allocators"].erase(0);
  const auto lines = VerdictLines(results);
  EXPECT_THAT(lines,
              Contains(HasSubstr("jemalloc{dirty_decay_ms:0} 5.00 MiB")));
  EXPECT_THAT(lines, Each(Not(HasSubstr("arenas"))));
}

TEST(Verdict, NothingReplayedIsAllThereIsToSay) {
  Json results = Results();
  results["trace"]["replayed"] = 0;
  EXPECT_THAT(VerdictLines(results), SizeIs(1));
}

TEST(Verdict, TableHasARowPerAllocatorAndSaysWhatIsUnknown) {
  const std::string table = SummaryTable(Results());
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
  EXPECT_THAT(table, HasSubstr("n/a"));
  EXPECT_THAT(table, HasSubstr("1.20x"));
}

TEST(Readable, UnitsChangeWhereTheDigitsWould) {
  EXPECT_EQ(ReadableBytes(0), "0 B");
  EXPECT_EQ(ReadableBytes(1023), "1023 B");
  EXPECT_EQ(ReadableBytes(1024), "1.00 KiB");
  EXPECT_EQ(ReadableBytes(10.0 * 1024), "10.0 KiB");
  EXPECT_EQ(ReadableBytes(1023.4 * 1024), "1023 KiB");
  EXPECT_EQ(ReadableBytes(1023.6 * 1024), "1.00 MiB");
  EXPECT_EQ(ReadableCount(0), "0");
  EXPECT_EQ(ReadableCount(999), "999");
  EXPECT_EQ(ReadableCount(1000), "1,000");
  EXPECT_EQ(ReadableCount(1234567), "1,234,567");
  EXPECT_EQ(ReadableRatio(1.049), "1.05x");
  EXPECT_EQ(ReadableRatio(16.04), "16.0x");
}

}  // namespace
}  // namespace arenalab
