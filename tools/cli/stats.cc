// Tells a trace from a results file and prints one screen of either; or, of a
// trace, the statistics that its interpreter would have printed; or, of
// results, the map of the heap.
#include "tools/cli/stats.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tools/cli/trace_stats.h"
#include "tools/exec/served_process.h"
#include "tools/replay/heap_strip.h"
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
  bool map = false;
  std::string color = "auto";
  std::string at;
};

constexpr std::size_t kMapLines = 40;

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
  if (reader.totals().lost != 0) {
    std::fprintf(stderr, "arenalab: warning: %s: %llu events were lost\n",
                 reader.path().c_str(),
                 static_cast<unsigned long long>(reader.totals().lost));
  }
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

// no-color.org and its kin: a choice on the command line, then the environment,
// then whether anyone is looking.
bool WantsColor(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  if (set("NO_COLOR")) return false;
  if (set("CLICOLOR_FORCE") &&
      std::string(std::getenv("CLICOLOR_FORCE")) != "0")
    return true;
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && term != nullptr &&
         std::string(term) != "dumb";
}

// The sample that --at means, and its words.
std::size_t SampleAt(const nlohmann::ordered_json& results,
                     const std::string& at, std::string* words) {
  const auto& moments = results.at("moments");
  const bool has_valley = !moments.at("last_valley").is_null();
  const std::string name = at.empty() ? has_valley ? "valley" : "peak" : at;
  if (name == "peak" || name == "end") {
    *words = name == "peak" ? "the peak" : "the end";
    return moments.at(name).get<std::size_t>();
  }
  if (name == "valley") {
    if (!has_valley) throw InputError("--at valley: this run has none");
    *words = "the last valley";
    return moments.at("last_valley").get<std::size_t>();
  }
  for (const auto& mark : results.at("marks")) {
    if (mark.at("name") != name) continue;
    *words = "the mark " + name;
    return mark.at("sample").get<std::size_t>();
  }
  throw InputError("--at " + name +
                   ": of a map there are peak, valley, end and the marks' "
                   "names");
}

std::string MapText(const Flags& flags) {
  if (!LooksLikeJson(flags.input)) {
    throw InputError(
        flags.input + ": --map draws what replay wrote: arenalab replay " +
        flags.input + " -o R.json, then arenalab stats --map " + "R.json");
  }
  const nlohmann::ordered_json results(ReadResults(flags.input));
  for (const auto& allocator : results.at("allocators")) {
    if (!allocator.contains("map") || allocator["map"].is_null()) continue;
    const auto& json = allocator["map"];
    MapPayload map;
    map.arena_bytes = json.at("arena_bytes").get<std::uint64_t>();
    map.pool_bytes = json.at("pool_bytes").get<std::uint64_t>();
    map.alignment = json.at("alignment").get<std::uint64_t>();
    map.header_bytes = json.at("header_bytes").get<std::uint64_t>();
    map.samples = json.at("samples").get<std::size_t>();
    map.data = json.at("data").get<std::string>();
    std::string words;
    const std::size_t sample = SampleAt(results, flags.at, &words);
    if (sample >= map.samples) {
      throw InputError(flags.input + ": its map has no sample " +
                       std::to_string(sample));
    }
    return allocator.at("spelled").get<std::string>() + " at " + words + ", " +
           allocator.at("label").get<std::string>() + ": " +
           HeapStrip(map, sample, WantsColor(flags.color), kMapLines);
  }
  throw InputError(flags.input + ": no allocator of it has a map");
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

// The process of that number; nullopt if the text is none, or names a file.
std::optional<int> ProcessOf(const std::string& text) {
  constexpr long kMostPid = 1 << 22;  // the kernel's own limit
  char* end;
  const long pid = std::strtol(text.c_str(), &end, 10);
  const bool number = !text.empty() && *end == '\0' && pid > 0;
  if (!number || pid > kMostPid || access(text.c_str(), F_OK) == 0)
    return std::nullopt;
  return static_cast<int>(pid);
}

int RunOnProcess(int pid) {
  const std::optional<ServedProcess> served = FindServedProcess(pid);
  if (!served) {
    throw InputError("process " + std::to_string(pid) +
                     ": is not run by `arenalab exec`; arenalab inspect tells "
                     "of any Python");
  }
  std::puts(SummaryLineNow(*served).c_str());
  return kOk;
}

int Run(const Flags& flags) {
  if (const std::optional<int> pid = ProcessOf(flags.input)) {
    if (flags.json || flags.map || flags.debugmallocstats) {
      throw UsageError("of a process: arenalab stats PID, without options; " +
                       std::string("arenalab inspect has more"));
    }
    return RunOnProcess(*pid);
  }
  if (flags.debugmallocstats) return RunDebugMallocStats(flags);
  if (!flags.at.empty() && !flags.map)
    throw UsageError(
        "--at needs --debugmallocstats or --map; see arenalab stats --help");
  std::string text;
  try {
    text = flags.map                    ? MapText(flags)
           : LooksLikeJson(flags.input) ? ResultsText(flags)
                                        : TraceText(flags);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(flags.input +
                     ": is not as replay writes it: " + error.what());
  }
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace

void AddStats(CommandLine& line) {
  Verb verb = line.AddVerb(
      "stats",
      "A recording, results, or a program that exec runs, on one screen");
  auto flags = std::make_shared<Flags>();
  verb.Positional("FILE", &flags->input,
                  "A trace, what replay wrote, or the process id of a program "
                  "that exec runs")
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
             "mem and obj domains, or a mark such as finalise; of a map: peak, "
             "valley (default), end, or a mark");
  verb.Flag("--map", &flags->map,
            "Of results: the heap as text, a line an arena, a character a pool")
      .Excludes(json)
      .Excludes(debugmallocstats);
  verb.Value("--color", &flags->color, "Colours of the map")
      .OneOf({"auto", "always", "never"})
      .ShowDefault();
  verb.Footer(
      "Examples:\n"
      "  arenalab stats app.trace\n"
      "  arenalab stats app.json\n"
      "  arenalab stats --json app.trace | jq .peak\n"
      "  arenalab stats --map --at peak app.json\n"
      "  arenalab stats --debugmallocstats --at finalise app.trace\n"
      "  arenalab stats 4711      of a program that `arenalab exec` runs: its "
      "summary line now");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
