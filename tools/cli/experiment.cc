// Flags of `arenalab experiment`, and what it prints.
#include "tools/cli/experiment.h"

#include <cstdio>
#include <memory>
#include <string>

#include "tools/cli/progress.h"
#include "tools/experiments/experiment.h"
#include "tools/replay/machine.h"
#include "tools/replay/results_file.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Flags {
  std::string name;
  std::string json;
  bool overwrite = false;
  ExperimentRequest request;
};

void List() {
  for (const Experiment& experiment : Experiments())
    std::printf("%-9s %s\n", experiment.name, experiment.title);
}

int Run(Flags& flags) {
  if (flags.name == "list") {
    List();
    return kOk;
  }
  const Experiment* experiment = FindExperiment(flags.name);
  if (experiment == nullptr) {
    throw InputError("experiment '" + flags.name +
                     "': there is none; arenalab experiment list");
  }
  ExperimentResult result;
  {
    Progress progress("experiment");
    flags.request.phase = [&](const std::string& what) {
      progress.Phase(what);
    };
    result = experiment->run(flags.request);
  }
  std::printf("%s: %s\n\nReported\n  %s\n\nMeasured\n%s\nMeaning\n  %s\n",
              experiment->name, experiment->title, result.reported.c_str(),
              result.measured.c_str(), result.meaning.c_str());
  if (!flags.json.empty()) {
    WriteResults({{"experiment", experiment->name},
                  {"title", experiment->title},
                  {"reported", result.reported},
                  {"meaning", result.meaning},
                  {"rounds", flags.request.rounds},
                  {"machine", DescribeMachine()},
                  {"measured", result.raw}},
                 flags.json, flags.overwrite);
  }
  return kOk;
}

}  // namespace

void AddExperiment(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "experiment",
      "Make a published experiment on pymalloc again: reported, measured.\n"
      "\n"
      "  arenalab experiment list\n"
      "  arenalab experiment X1\n"
      "  arenalab experiment speed --python ./main/python --python "
      "./patch/python\n");
  verb.Positional("NAME", &flags->name, "An experiment, or list").Required();
  verb.Value("--python", &flags->request.pythons,
             "An interpreter; may be repeated (default: all that are "
             "found on this machine)")
      .OneEach();
  verb.Value("--trace", &flags->request.trace,
             "A recording to be measured too (speed, E6)");
  verb.Value("--rounds", &flags->request.rounds, "Timed rounds")
      .Between(1, 10000)
      .ShowDefault();
  verb.Flag("--quick", &flags->request.quick,
            "Smaller streams, to see that it runs; no figures to quote");
  verb.Value("--json", &flags->json, "Write the raw figures here");
  verb.Flag("-f,--force", &flags->overwrite, "Replace an existing file");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
