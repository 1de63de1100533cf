// Tells a trace from a results file and prints one screen of either.
#include "tools/cli/stats.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/cli/trace_stats.h"
#include "tools/replay/results_file.h"
#include "tools/replay/verdict.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Flags {
  std::string input;
  bool json = false;
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

int Run(const Flags& flags) {
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

void AddStats(CLI::App& app, int* status) {
  CLI::App* verb = app.add_subcommand(
      "stats", "A recording or a results file on one screen");
  auto flags = std::make_shared<Flags>();
  verb->add_option("FILE", flags->input, "A trace, or what replay wrote")
      ->required();
  verb->add_flag("--json", flags->json, "One JSON object on stdout");
  verb->footer(
      "Examples:\n"
      "  arenalab stats app.trace\n"
      "  arenalab stats app.json\n"
      "  arenalab stats --json app.trace | jq .peak");
  verb->callback([flags, status] { *status = Run(*flags); });
}

}  // namespace arenalab
