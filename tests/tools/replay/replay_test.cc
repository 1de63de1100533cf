// The whole verb on tiny traces: what the results object says, what is refused.
#include "tools/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/results.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using testing::HasSubstr;

ReplayRequest RequestFor(const std::string& trace,
                         const std::string& allocators = "pymalloc") {
  ReplayRequest request;
  request.trace = trace;
  request.allocators = allocators;
  request.repetitions = 0;
  request.samples = 50;
  return request;
}

std::string Refusal(const ReplayRequest& request) {
  try {
    Replay(request);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string WarningsOf(const nlohmann::ordered_json& results) {
  std::string text;
  for (const auto& line : results["trace"]["warnings"])
    text += line.get<std::string>() + "\n";
  return text;
}

TEST(Replay, RssOfTheProcessIsTheLastReadingBeforeASample) {
  const auto results = Replay(
      RequestFor(TraceOf("malloc 1 100\nmemory 4096 t=1\nmark a\nmalloc 2 100\n"
                         "memory 8192 t=2\nmark b\nmalloc 3 100\n")));
  const auto& rss = results["timeline"]["process_rss_bytes"];
  const auto at = [&](int mark) {
    return rss[results["marks"][mark]["sample"].get<std::size_t>()];
  };
  EXPECT_EQ(at(0), 4096);
  EXPECT_EQ(at(1), 8192);
  EXPECT_EQ(rss[0], nullptr) << "none was taken yet";
  EXPECT_EQ(Replay(RequestFor(
                TraceOf("malloc 1 100\n")))["timeline"]["process_rss_bytes"],
            nullptr);
}

constexpr char kRecorded311[] =
    "meta geometry cpython-3.11.7\nmeta allocator pymalloc\n"
    "meta addresses recorded\n"
    "arena+ 0x7f0000005000 1048576\n"
    "arena+ 0x7e0000000000 16384\n"
    "malloc 1 100 addr=0x7f0000008030\nmalloc 2 700 addr=0x5000\n"
    "mark half\nfree 1\n";

TEST(Replay, ResultsHoldEveryPartAndPerSampleArraysOfOneLength) {
  const auto results = Replay(RequestFor(TraceOf(kRecorded311)));
  EXPECT_EQ(results["schema"], "arenalab.results/1");
  EXPECT_EQ(results["complete"], true);
  EXPECT_EQ(results["trace"]["requests"], 3);
  const std::size_t samples = results["timeline"]["request"].size();
  const auto& pymalloc = results["allocators"][0];
  for (const char* key : {"held_bytes", "committed_bytes", "rss_bytes"})
    EXPECT_EQ(pymalloc[key].size(), samples) << key;
  EXPECT_EQ(pymalloc["waterfall"]["bytes"].size(), samples);
  EXPECT_EQ(pymalloc["arenas"]["live"].size(), samples);
  EXPECT_EQ(pymalloc["map"]["samples"], samples);
  for (const char* key : {"load", "load_small", "page_load", "class_repack",
                          "class_repack_arenas"})
    EXPECT_EQ(results["limits"][key].size(), samples) << key;
  for (std::size_t i = 0; i < samples; ++i) {
    std::uint64_t sum = 0;
    for (const auto& part : pymalloc["waterfall"]["bytes"][i])
      sum += part.get<std::uint64_t>();
    EXPECT_EQ(pymalloc["held_bytes"][i], sum);
  }
  EXPECT_EQ(results["marks"][0]["name"], "half");
  EXPECT_EQ(results["marks"][0]["request"], 2);
}

TEST(Replay, TheRecordedGenerationTakesTheRecordedBases) {
  // Base 0x...5000 is 4096 past a pool: 63 pools, whatever the frame chunk's.
  const auto results = Replay(RequestFor(TraceOf(kRecorded311)));
  const auto& pymalloc = results["allocators"][0];
  EXPECT_EQ(pymalloc["label"], "replayed exactly");
  EXPECT_EQ(pymalloc["settings"]["geometry"], "cpython-3.11");
  EXPECT_EQ(pymalloc["waterfall"]["bytes"].back()[6], 16384);
}

TEST(Replay, AnotherGenerationIsCounterfactual) {
  const auto results = Replay(RequestFor(
      TraceOf(kRecorded311), "pymalloc{geometry:cpython-3.9.18},pymalloc"));
  EXPECT_EQ(results["allocators"][0]["label"], "counterfactual");
  EXPECT_EQ(results["allocators"][0]["arenas"]["pool_bytes"], 4096);
  EXPECT_EQ(results["allocators"][1]["label"], "replayed exactly");
  EXPECT_EQ(results["limits"]["generation"], "cpython-3.11");
}

TEST(Replay, WhatARepeatedRunOfTheModelSaysIsTheSame) {
  const std::string trace = TraceOf(kRecorded311);
  auto first = Replay(RequestFor(trace))["allocators"][0];
  auto second = Replay(RequestFor(trace))["allocators"][0];
  for (const char* key : {"held_bytes", "committed_bytes", "map", "waterfall"})
    EXPECT_EQ(first[key], second[key]) << key;
}

TEST(Replay, ResidentMemoryIsTheModelsCommittedAndTheLargeRequests) {
  const std::string path = ScratchPath(".trace");
  WriteGoldenTrace(path, GoldenStream2);
  const auto results = Replay(RequestFor(path, "pymalloc,system"));
  const auto& pymalloc = results["allocators"][0];
  const auto peak = results["moments"]["peak"].get<std::size_t>();
  const auto committed = pymalloc["committed_bytes"][peak].get<double>();
  const auto rss = pymalloc["rss_bytes"][peak].get<double>();
  EXPECT_GT(committed, 4e6);
  // The worker's arenas have other bases, and its tables are resident.
  EXPECT_NEAR(rss, committed, 0.1 * committed + 512 * 1024);
  EXPECT_EQ(results["allocators"][1]["waterfall"], nullptr);
  EXPECT_GT(results["allocators"][1]["summary"]["peak_rss_bytes"], 1'000'000);
}

TEST(Replay, AnEmptyTraceHasResultsThatSaySo) {
  const auto results = Replay(RequestFor(TraceOf("")));
  EXPECT_EQ(results["trace"]["replayed"], 0);
  EXPECT_EQ(results["moments"]["last_valley"], nullptr);
  EXPECT_EQ(results["verdict"]["lines"].size(), 1u);
  EXPECT_EQ(results["allocators"][0]["rss_bytes"], nullptr);
}

TEST(Replay, OnlyLargeRequestsLeavePymallocEmpty) {
  const auto results =
      Replay(RequestFor(TraceOf("malloc 1 100000\nmalloc 2 513\nfree 1\n")));
  EXPECT_EQ(results["allocators"][0]["arenas"]["created"], 0);
  EXPECT_EQ(results["allocators"][0]["summary"]["jw2"], nullptr);
  EXPECT_EQ(results["limits"]["load"].back(), 513);
}

TEST(Replay, ATraceWithoutItsEndIsIncomplete) {
  const std::string path = ScratchPath(".trace");
  {
    TraceWriter writer(path, /*exclusive=*/false);
    Event event;
    event.kind = EventKind::kAlloc;
    event.layer = Layer::kObject;
    event.address = 0x1000;
    event.size_bytes = 40;
    writer.Append(event);
  }
  const auto results = Replay(RequestFor(path));
  EXPECT_EQ(results["complete"], false);
  EXPECT_THAT(WarningsOf(results), HasSubstr("no end mark"));
  EXPECT_EQ(results["trace"]["replayed"], 1);
}

TEST(Replay, WhatTheTraceNeverSawIsWarnedOf) {
  const auto results = Replay(
      RequestFor(TraceOf("meta geometry cpython-3.8\nmeta parent p.trace 0\n"
                         "free-unknown 0x1000\nmalloc 1 10\n")));
  EXPECT_THAT(WarningsOf(results), HasSubstr("1 frees of blocks"));
  EXPECT_THAT(WarningsOf(results), HasSubstr("inherited is not replayed"));
  EXPECT_EQ(results["allocators"][0]["label"], "counterfactual");
}

TEST(Replay, AForksChildBeginsWithItsParentsHeap) {
  const std::string parent = TraceOf(
      "meta geometry cpython-3.8\nmalloc 1 100 addr=0x1030\n"
      "malloc 2 100 addr=0x10a0\nfork 0 77\nmalloc 3 100 addr=0x1110\n",
      ".parent.trace");
  const std::string child =
      TraceOf("meta geometry cpython-3.8\nmeta parent " +
                  std::filesystem::path(parent).filename().string() +
                  " 0\nmalloc 1 200 addr=0x2030\nmalloc 2 300 addr=0x3030\n",
              ".child.trace");
  const auto results = Replay(RequestFor(child));
  EXPECT_EQ(results["trace"]["requests"], 2);
  EXPECT_EQ(results["trace"]["replayed"], 2);
  EXPECT_EQ(results["trace"]["inherited"], 2);
  EXPECT_EQ(results["timeline"]["requested_bytes"].back(), 700);
  EXPECT_EQ(results["timeline"]["request"].back(), 2);
  EXPECT_EQ(results["marks"][0]["name"], "fork");
  const auto at = results["marks"][0]["sample"].get<std::size_t>();
  EXPECT_EQ(results["timeline"]["requested_bytes"][at], 200);
  EXPECT_EQ(results["timeline"]["request"][at], 0);
}

TEST(Replay, AForkThatTheParentDoesNotHaveIsRefused) {
  const std::string parent = TraceOf("malloc 1 100\n", ".parent.trace");
  const std::string child =
      TraceOf("meta parent " +
                  std::filesystem::path(parent).filename().string() + " 4\n",
              ".child.trace");
  EXPECT_THAT(Refusal(RequestFor(child)), HasSubstr("no fork number 4"));
}

TEST(Replay, WithoutAGeometryTheNewestIsTakenAndSaid) {
  const auto results = Replay(RequestFor(TraceOf("malloc 1 10\n")));
  EXPECT_THAT(WarningsOf(results), HasSubstr("names no geometry"));
  EXPECT_EQ(results["allocators"][0]["label"], "counterfactual");
}

TEST(Replay, UnknownGeometriesAreRefusedWithTheKnownOnes) {
  const std::string known = "cpython-3.11";
  EXPECT_THAT(Refusal(RequestFor(TraceOf("meta geometry cpython-9.9\n"))),
              HasSubstr(known));
  ReplayRequest request = RequestFor(TraceOf(kRecorded311));
  request.geometry = "nonsense";
  EXPECT_THAT(Refusal(request), HasSubstr("--geometry"));
  EXPECT_THAT(
      Refusal(RequestFor(TraceOf(kRecorded311), "pymalloc{geometry:nonsense}")),
      HasSubstr("nonsense"));
}

TEST(Replay, ImpossibleOffsetsAndPlacementsOfNobodyAreRefused) {
  ReplayRequest request = RequestFor(TraceOf(kRecorded311));
  request.arena_offsets = {16384};
  EXPECT_THAT(Refusal(request), HasSubstr("--arena-offsets"));
  request = RequestFor(TraceOf(kRecorded311), "system");
  request.placements = ScratchPath(".placements");
  EXPECT_THAT(Refusal(request), HasSubstr("--placements"));
  EXPECT_FALSE(std::filesystem::exists(request.placements));
}

// The bar of whoever checks: add up what the file says.
TEST(Replay, EveryWaterfallOfTheResultsAddsUpToTheByte) {
  const std::string path = ScratchPath(".trace");
  WriteGoldenTrace(path, GoldenStream2);
  const auto results = Replay(RequestFor(
      path,
      "pymalloc,pymalloc{geometry:cpython-3.8},system,jemalloc,mimalloc,"
      "bump"));
  const std::size_t samples = results["timeline"]["request"].size();
  for (const auto& allocator : results["allocators"]) {
    const bool model = !allocator["waterfall"].is_null();
    const auto& parts = allocator[model ? "waterfall" : "told"];
    const std::string whole =
        model ? "held_bytes" : parts["of"].get<std::string>();
    for (std::size_t s = 0; s < samples; ++s) {
      std::int64_t sum = 0;
      for (const auto& part : parts["bytes"][s])
        if (!part.is_null()) sum += part.get<std::int64_t>();
      EXPECT_EQ(sum, allocator[whole][s].get<std::int64_t>())
          << allocator["spelled"] << " " << s;
      if (!model) continue;
      const auto& large = allocator["large"];
      EXPECT_EQ(large["held_bytes"][s].get<std::int64_t>(),
                large["requested_bytes"][s].get<std::int64_t>() +
                    large["rounding_bytes"][s].get<std::int64_t>() +
                    large["rest_bytes"][s].get<std::int64_t>());
      // Small and large requests are all requests.
      EXPECT_EQ(parts["bytes"][s][0].get<std::int64_t>() +
                    large["requested_bytes"][s].get<std::int64_t>(),
                results["timeline"]["requested_bytes"][s].get<std::int64_t>());
    }
  }
}

TEST(Replay, AnAgedHeapIsNamedAndNeverTheRecordedOne) {
  ReplayRequest request = RequestFor(TraceOf(kRecorded311), "pymalloc,system");
  request.litter = Litter{.multiplier = 100, .occupancy = 0.5, .seed = 2};
  request.latency_one_in = 1;
  const auto results = Replay(request);
  EXPECT_EQ(results["options"]["aged"]["multiplier"], 100.0);
  EXPECT_EQ(results["allocators"][0]["label"], "counterfactual");
  EXPECT_EQ(results["trace"]["replayed"], 3);
  EXPECT_EQ(results["trace"]["inherited"], 0);
  for (const auto& allocator : results["allocators"])
    EXPECT_GT(allocator["latency"]["kinds"]["alloc"]["timed"], 100);
  const auto fresh = Replay(RequestFor(TraceOf(kRecorded311), "pymalloc"));
  EXPECT_EQ(fresh["options"]["aged"], nullptr);
  EXPECT_EQ(fresh["allocators"][0]["latency"], nullptr);
  EXPECT_GT(results["allocators"][0]["held_bytes"].back().get<double>(),
            0.9 * fresh["allocators"][0]["held_bytes"].back().get<double>());
}

TEST(Replay, InAWiderScopePymallocIsModelledAndNotMeasured) {
  ReplayRequest request =
      RequestFor(TraceOf("malloc 1 10\nmalloc 2 20 domain=raw\n"));
  request.scope = Scope::kPythonAndRaw;
  const auto results = Replay(request);
  EXPECT_EQ(results["trace"]["replayed"], 2);
  EXPECT_EQ(results["allocators"][0]["rss_bytes"], nullptr);
  EXPECT_EQ(results["allocators"][0]["waterfall"]["bytes"].back()[0], 10);
  EXPECT_EQ(results["allocators"][0]["large"]["requested_bytes"].back(), 20);
}

}  // namespace
}  // namespace arenalab
