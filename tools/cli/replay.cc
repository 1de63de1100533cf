// Flags of `arenalab replay`, its progress, and what it prints at its end.
#include "tools/cli/replay.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tools/cli/progress.h"
#include "tools/replay/results_file.h"
#include "tools/replay/verdict.h"

namespace arenalab {
namespace {

struct Flags {
  ReplayRequest request;
  std::string output;
  std::string scope = "python";
  std::string touch = "header";
  std::string clock = "both";
  bool overwrite = false;
  bool no_oracle = false;
  int latency = 0;
  double age = 0;
  Litter litter;
};

// As typed; CLI11 keeps no argv.
std::vector<std::string> WordsTyped() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

std::string DefaultOutput(const std::string& trace) {
  std::filesystem::path path(trace);
  return path.replace_extension(".json").string();
}

int Run(Flags& flags) {
  if (flags.output.empty()) flags.output = DefaultOutput(flags.request.trace);
  // Before the work, not after it.
  if (flags.output != "-" && !flags.overwrite &&
      std::filesystem::exists(flags.output)) {
    throw InputError(flags.output + ": exists; give -f to replace it");
  }
  flags.request.scope = *ScopeNamed(flags.scope);
  flags.request.touch = *TouchOfName(flags.touch);
  flags.request.oracle = !flags.no_oracle;
  flags.request.recorded_clock = flags.clock != "stopped";
  flags.request.idled_clock = flags.clock == "control";
  flags.request.latency_one_in = static_cast<std::uint32_t>(flags.latency);
  if (flags.age > 0) {
    flags.litter.multiplier = flags.age;
    flags.request.litter = flags.litter;
  }
  const nlohmann::ordered_json results = ReplayForPeople(flags.request);
  WriteResults(results, flags.output, flags.overwrite);
  if (flags.output == "-") return kOk;
  std::fputs(SummaryTable(results).c_str(), stdout);
  std::fputs(LatencyTable(results).c_str(), stdout);
  std::fputs("\n", stdout);
  for (const auto& line : results["verdict"]["lines"]) {
    std::printf("%s\n", line.get<std::string>().c_str());
  }
  std::fflush(stdout);
  std::fprintf(stderr, "replay: wrote %s; next: arenalab report %s\n",
               flags.output.c_str(), flags.output.c_str());
  return kOk;
}

}  // namespace

nlohmann::ordered_json ReplayForPeople(ReplayRequest request) {
  request.command = WordsTyped();
  nlohmann::ordered_json results;
  {
    Progress progress("replay");
    request.phase = [&](const std::string& name) { progress.Phase(name); };
    request.progress = [&](const std::string& name, int done, int total) {
      progress.Part(name, done, total);
    };
    results = Replay(request);
  }
  for (const auto& warning : results["trace"]["warnings"]) {
    std::fprintf(stderr, "replay: warning: %s\n",
                 warning.get<std::string>().c_str());
  }
  return results;
}

void AddReplay(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "replay",
      "Replay a recording on every allocator: memory, its causes, and time.\n"
      "\n"
      "  arenalab replay run.trace\n"
      "  arenalab replay run.trace -a pymalloc,'pymalloc{geometry:cpython-3.9}'"
      "\n"
      "  arenalab replay run.trace -a pymalloc,./libother.so -o run.json\n"
      "  arenalab replay run.trace --age 1 --latency 64\n");
  ReplayRequest& request = flags->request;
  verb.Positional("TRACE", &request.trace, "A recording").Required();
  verb.Value("-a,--allocators", &request.allocators,
             std::string("Allocators, or malloc libraries by path "
                         "(default: ") +
                 kDefaultAllocators + ")");
  verb.Value("-o,--output", &flags->output,
             "Results file, - for stdout (default: TRACE's name with "
             ".json)");
  verb.Flag("-f,--force", &flags->overwrite, "Replace an existing file");
  verb.Value("--geometry", &request.geometry,
             "Generation of plain pymalloc (default: the recorded one)");
  verb.Value("--arena-offsets", &request.arena_offsets,
             "Bases of pymalloc's arenas modulo the pool size, in "
             "turn (default: the recorded ones for the recorded "
             "generation, else 0)")
      .Comma();
  verb.Value("--placements", &request.placements,
             "Write where the first pymalloc or native put every block");
  verb.Value("--scope", &flags->scope, "Whose requests are replayed")
      .OneOf({"python", "python+raw", "process"})
      .ShowDefault();
  verb.Value("--touch", &flags->touch,
             "What the timed runs write into each block")
      .OneOf({"none", "header", "line", "fill"})
      .ShowDefault();
  verb.Value("--clock", &flags->clock,
             "The time that allocators see in memory runs: stopped (a "
             "replay waits for nothing), and, for those that give back "
             "by the clock, also the recorded time; control: also a replay "
             "that really idles as long as the program did")
      .OneOf({"both", "stopped", "control"})
      .ShowDefault();
  verb.Flag("--no-oracle", &flags->no_oracle,
            "Leave out the limit with foresight, which packs all requests "
            "three times");
  verb.Value("--repetitions", &request.repetitions,
             "Timed rounds; 0 measures no times")
      .Between(0, 10000)
      .ShowDefault();
  verb.Value("--latency", &flags->latency,
             "Time one request in N by itself, in a replay of its own: p50, "
             "p99, p99.9 and the longest by kind of request; 0: none")
      .Between(0, 1000000000)
      .ShowDefault();
  verb.Value("--age", &flags->age,
             "Litter the heap first: N times the trace's peak number of live "
             "objects, sizes drawn from the trace; 0: a fresh heap")
      .Between(0.0, 1000.0)
      .ShowDefault();
  verb.Value("--age-occupancy", &flags->litter.occupancy,
             "The share of the litter that stays")
      .Between(0.0, 1.0)
      .ShowDefault();
  verb.Value("--age-seed", &flags->litter.seed, "What the litter is drawn from")
      .ShowDefault();
  verb.Value("--samples", &request.samples,
             "Samples along the run, besides its moments")
      .Between(1, 1000000)
      .ShowDefault();
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
