// Flags of `arenalab workers`.
#include "tools/cli/workers.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/cli/progress.h"
#include "tools/output/output_file.h"
#include "tools/replay/machine.h"
#include "tools/workers/workers.h"

namespace arenalab {
namespace {

struct Flags {
  WorkersOptions options;
  std::string json;
  bool force = false;
};

int Run(Flags& flags) {
  const std::vector<std::string>& known = WorkerModels();
  if (flags.options.models.empty()) flags.options.models = known;
  for (const std::string& model : flags.options.models)
    if (std::find(known.begin(), known.end(), model) == known.end())
      throw UsageError("workers: no model " + model +
                       "; there are threads, fork, spawn, forkserver, "
                       "interpreters");
  for (const int count : flags.options.counts)
    if (count < 1 || count > 256)
      throw UsageError("workers: --n takes numbers from 1 to 256");
  WorkersResult result;
  {
    Progress progress("workers");
    flags.options.phase = [&](const std::string& what) {
      progress.Phase(what);
    };
    result = RunWorkers(flags.options);
  }
  std::fputs(WorkersText(result).c_str(), stdout);
  if (!flags.json.empty()) {
    nlohmann::ordered_json json = WorkersJson(result);
    json["machine"] = DescribeMachine();
    WriteWholeFile(flags.json, flags.force, json.dump(1) + "\n");
  }
  const bool none =
      std::all_of(result.rows.begin(), result.rows.end(),
                  [](const WorkersRow& row) { return !row.error.empty(); });
  return none ? kBadInput : kOk;
}

}  // namespace

void AddWorkers(CommandLine& line) {
  Verb verb = line.AddVerb(
      "workers", "One program in N workers: threads, processes, interpreters");
  auto flags = std::make_shared<Flags>();
  verb.Program(&flags->options.command,
               "An interpreter and a program; each worker runs it once")
      .Required();
  verb.Value("--models", &flags->options.models,
             "threads, fork, spawn, forkserver, interpreters (all)")
      .Comma();
  verb.Value("--n", &flags->options.counts, "Numbers of workers (1,2,4,8)")
      .Comma();
  verb.Value("--rounds", &flags->options.rounds,
             "Of each, in an order that changes; medians are shown")
      .Between(1, 1000)
      .ShowDefault();
  verb.Flag("--pin", &flags->options.pin,
            "Pin worker i to core i, modulo the number of cores");
  verb.Value("--json", &flags->json, "Write the figures here");
  verb.Flag("-f,--force", &flags->force, "Replace an existing file");
  verb.Footer(
      "Examples:\n"
      "  arenalab workers -- python3 workloads/json_round_trips.py --size "
      "2000\n"
      "  arenalab workers --models fork,interpreters --n 1,8 --rounds 5 -- "
      "python3.13 app.py\n"
      "\n"
      "Memory is Pss summed over all processes that belong to it. What the "
      "program prints goes nowhere. Exit status 3 where no model could be "
      "run.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
