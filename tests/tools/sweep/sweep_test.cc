// Sweeps over tiny traces: combinations, figures by hand, any number of jobs.
#include "tools/sweep/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/replay/tiny_trace.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// 64 pools of 7 blocks of 512 bytes fill an arena of 3.8; the 65th pool needs
// another, twice.
std::string OverTheEdgeTwice() {
  std::string text = "meta geometry cpython-3.8\n";
  for (int i = 0; i < 448; ++i)
    text += "malloc " + std::to_string(i) + " 512\n";
  for (int i = 0; i < 2; ++i) text += "malloc 500 512\nfree 500\n";
  return text + "malloc 600 16\n";
}

SweepRequest RequestFor(std::vector<std::string> traces,
                        const std::vector<std::string>& keys) {
  SweepRequest request;
  request.traces = std::move(traces);
  for (const std::string& key : keys)
    request.keys.push_back(ParseSweptKey(key));
  return request;
}

TEST(ParetoFront, LeavesOutWhatAnotherBeats) {
  EXPECT_THAT(ParetoFront({{1, 5}, {2, 4}, {2, 5}, {5, 1}, {1, 5}}),
              ElementsAre(true, true, false, true, true));
  EXPECT_THAT(ParetoFront({}), ElementsAre());
}

TEST(SweptKey, ReadsValuesAndRefusesWhatIsNone) {
  const SweptKey key = ParseSweptKey("keep_arenas=0,1,16");
  EXPECT_EQ(key.key, "keep_arenas");
  EXPECT_THAT(key.values, ElementsAre("0", "1", "16"));
  EXPECT_THAT(Refusal([] { ParseSweptKey("keep_arenas"); }),
              HasSubstr("KEY=VALUE"));
  EXPECT_THAT(Refusal([] { ParseSweptKey("a=1,,2"); }), HasSubstr("empty"));
  EXPECT_THAT(Refusal([] { ParseSweptKey("a=1,1"); }), HasSubstr("twice"));
}

TEST(Sweep, KeepingAnArenaSavesItsCallsByHand) {
  const SweepResult result =
      Sweep(RequestFor({TraceOf(OverTheEdgeTwice())}, {"keep_arenas=0,1"}));
  ASSERT_EQ(result.points.size(), 3u);
  ASSERT_EQ(result.rows.size(), 3u);
  // 3.8 keeps none: the second arena comes and goes twice, and stays for the
  // last request. The base is the same heap.
  for (const std::size_t row : {0, 1}) {
    EXPECT_EQ(result.rows[row].arenas_created, 4u);
    EXPECT_EQ(result.rows[row].arenas_released, 2u);
    EXPECT_DOUBLE_EQ(result.rows[row].values[3], 1e6 * 6 / 453);
  }
  EXPECT_EQ(result.rows[2].arenas_created, 2u);
  EXPECT_EQ(result.rows[2].arenas_released, 0u);
  EXPECT_DOUBLE_EQ(*result.points[2].ratios[3], 2.0 / 6);
  EXPECT_EQ(result.rows[2].settings, "geometry:cpython-3.8,keep_arenas:1");
  EXPECT_TRUE(result.points[2].on_front);
  EXPECT_FALSE(result.points[0].on_front);
}

TEST(Sweep, EveryCombinationOnEveryTraceWhateverTheJobs) {
  const std::vector<std::string> traces = {
      TraceOf(OverTheEdgeTwice(), ".a.trace"),
      TraceOf("meta geometry cpython-3.8\nmalloc 1 100\nmalloc 2 700\n",
              ".b.trace")};
  SweepRequest request = RequestFor(
      traces, {"geometry=cpython-3.9,cpython-3.11", "keep_arenas=0,2,4"});
  std::size_t last = 0;
  request.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 14u);
    last = done;
  };
  const std::string one = SweepJson(Sweep(request), {"sweep"});
  EXPECT_EQ(last, 14u);
  request.jobs = 7;
  const SweepResult seven = Sweep(request);
  EXPECT_EQ(SweepJson(seven, {"sweep"}), one);
  EXPECT_EQ(seven.rows[1].settings, "geometry:cpython-3.9,keep_arenas:0");
  EXPECT_EQ(seven.rows[6].settings, "geometry:cpython-3.11,keep_arenas:4");
}

TEST(Sweep, CsvHasALineForEachRowAndQuotesSettings) {
  const SweepResult result =
      Sweep(RequestFor({TraceOf("meta geometry cpython-3.8\nmalloc 1 16\n")},
                       {"keep_arenas=1"}));
  const std::string csv = SweepCsv(result);
  EXPECT_THAT(csv, StartsWith("trace,settings,on_front,peak_committed_bytes,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_THAT(csv, HasSubstr(",\"geometry:cpython-3.8,keep_arenas:1\",1,"));
  EXPECT_THAT(SweepTable(result), HasSubstr("* base"));
}

TEST(Sweep, WhatAHeapWouldRefuseIsRefusedWithTheSetting) {
  const std::string trace = TraceOf("malloc 1 16\n");
  EXPECT_THAT(Refusal([&] { Sweep(RequestFor({trace}, {"keep_arena=1"})); }),
              HasSubstr("keep_arena:1"));
  EXPECT_THAT(Refusal([&] { Sweep(RequestFor({trace}, {"geometry=3"})); }),
              HasSubstr("geometry '3'"));
  EXPECT_THAT(Refusal([&] {
                Sweep(RequestFor({trace}, {"a=1", "a=2"}));
              }),
              HasSubstr("twice"));
}

}  // namespace
}  // namespace arenalab
