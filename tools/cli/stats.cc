// Tells a trace from a results file and prints one screen of either; or, of a
// trace, the statistics that its interpreter would have printed.
#include "tools/cli/stats.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/cli/trace_stats.h"
#include "tools/replay/results_file.h"
#include "tools/replay/verdict.h"
#include "tools/verify/clone_statistics.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Flags {
  std::string input;
  bool json = false;
  bool debugmallocstats = false;
  std::string at;
};

// A results file is an object of JSON; a trace begins with its magic word.
bool LooksLikeJson(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  for (char c; file.get(c);) {
    if (c == '{') return true;
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return false;
  }
  return false;
}

std::string TraceText(const Flags& flags) {
  TraceReader reader(flags.input);
  const TraceStats stats = ComputeTraceStats(reader);
  if (!reader.complete()) {
    std::fprintf(stderr,
                 "arenalab: warning: %s is incomplete; these are the numbers "
                 "of what is there\n",
                 flags.input.c_str());
  }
  return flags.json ? TraceStatsJson(reader, stats)
                    : TraceStatsText(reader, stats);
}

std::string ResultsText(const Flags& flags) {
  const nlohmann::ordered_json results(ReadResults(flags.input));
  if (flags.json) {
    // What the screen shows, as data: no series, no map.
    nlohmann::ordered_json json;
    json["schema"] = "arenalab.results-stats/1";
    json["results"] = flags.input;
    for (const char* key : {"trace", "options", "verdict", "verify"}) {
      if (results.contains(key)) json[key] = results[key];
    }
    json["allocators"] = nlohmann::ordered_json::array();
    for (const auto& allocator : results["allocators"]) {
      nlohmann::ordered_json row;
      for (const char* key :
           {"name", "spelled", "label", "version", "summary", "time"}) {
        if (allocator.contains(key)) row[key] = allocator[key];
      }
      json["allocators"].push_back(std::move(row));
    }
    return json.dump(2) + "\n";
  }
  std::string text = SummaryTable(results) + "\n";
  for (const std::string& line : VerdictLines(results)) text += line + "\n";
  return text;
}

int RunDebugMallocStats(const Flags& flags) {
  const CloneStatistics statistics =
      StatisticsAt(flags.input, ParseTracePoint(flags.at));
  if (!statistics.complete) {
    std::fprintf(stderr,
                 "arenalab: warning: %s is incomplete; these are the "
                 "statistics where it breaks off\n",
                 flags.input.c_str());
  }
  std::fputs(statistics.text.c_str(), stdout);
  if (statistics.mismatches == 0) return kOk;
  std::fprintf(stderr,
               "arenalab: warning: the clone and %s differ: arenalab verify "
               "says where\n",
               flags.input.c_str());
  return kDifferent;
}

int Run(const Flags& flags) {
  if (flags.debugmallocstats) return RunDebugMallocStats(flags);
  std::string text;
  try {
    text = LooksLikeJson(flags.input) ? ResultsText(flags) : TraceText(flags);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(flags.input +
                     ": is not as replay writes it: " + error.what());
  }
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace

void AddStats(CommandLine& line) {
  Verb verb =
      line.AddVerb("stats", "A recording or a results file on one screen");
  auto flags = std::make_shared<Flags>();
  verb.Positional("FILE", &flags->input, "A trace, or what replay wrote")
      .Required();
  const Option json =
      verb.Flag("--json", &flags->json, "One JSON object on stdout");
  const Option debugmallocstats =
      verb.Flag("--debugmallocstats", &flags->debugmallocstats,
                "Of a trace: what sys._debugmallocstats() would have printed "
                "at its end")
          .Excludes(json);
  verb.Value("--at", &flags->at,
             "... or right after request EVENT, request state:N of the "
             "mem and obj domains, or a mark such as finalise")
      .Needs(debugmallocstats);
  verb.Footer(
      "Examples:\n"
      "  arenalab stats app.trace\n"
      "  arenalab stats app.json\n"
      "  arenalab stats --json app.trace | jq .peak\n"
      "  arenalab stats --debugmallocstats --at finalise app.trace");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
