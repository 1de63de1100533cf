// Flags of `arenalab models`, and what it prints.
#include "tools/cli/models.h"

#include <cstdio>
#include <memory>
#include <string>

#include "tools/cli/progress.h"
#include "tools/output/output_file.h"
#include "tools/threads/model_table.h"

namespace arenalab {
namespace {

struct Flags {
  ModelTableRequest request;
  std::vector<std::uint64_t> workers;
  std::string scope = "python";
  std::string touch = "header";
  std::string output;
  bool json = false;
  bool overwrite = false;
};

int Run(Flags& flags) {
  ModelTableRequest& request = flags.request;
  request.scope = *ScopeNamed(flags.scope);
  request.touch = *TouchOfName(flags.touch);
  if (!flags.workers.empty()) {
    request.workers.assign(flags.workers.begin(), flags.workers.end());
  }
  ModelTable table;
  {
    Progress progress("models");
    progress.Phase("memory, then times");
    request.progress = [&](int done, int total) {
      progress.Part("runs", done, total);
    };
    table = MeasureModelTable(request);
  }
  if (!flags.output.empty()) {
    WriteWholeFile(flags.output, flags.overwrite, ModelTableJson(table));
  }
  const std::string text =
      flags.json ? ModelTableJson(table) : ModelTableText(table);
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace

void AddModels(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  ModelTableRequest& request = flags->request;
  request.allocators = "pymalloc,mimalloc,jemalloc,system";
  Verb verb = line.AddVerb(
      "models",
      "A recording under the GIL, a heap an interpreter, free threading, "
      "processes");
  verb.Positional("TRACE", &request.trace, "A recording").Required();
  verb.Value("-a,--allocators", &request.allocators,
             "Allocators, or malloc libraries by path")
      .ShowDefault();
  verb.Value("-n,--workers", &flags->workers,
             "How many workers, each of which runs the recording (default: "
             "1,2,4,8; more than cores are not measured)")
      .Comma();
  verb.Value("--scope", &flags->scope, "Whose requests are replayed")
      .OneOf({"python", "python+raw", "process"})
      .ShowDefault();
  verb.Value("--touch", &flags->touch,
             "What the timed runs write into each block")
      .OneOf({"none", "header", "line", "fill"})
      .ShowDefault();
  verb.Value("--rounds", &request.rounds,
             "Timed rounds, all cells interleaved; 0 measures no times")
      .Between(0, 10000)
      .ShowDefault();
  verb.Flag("--json", &flags->json, "One JSON object on stdout");
  verb.Value("-o,--output", &flags->output, "Also write the JSON here");
  verb.Flag("-f,--force", &flags->overwrite, "Replace an existing file");
  verb.Footer(
      "Examples:\n"
      "  arenalab models run.trace\n"
      "  arenalab models -n 1,2 -a pymalloc,mimalloc --rounds 20 run.trace\n"
      "  arenalab models --json run.trace\n"
      "\n"
      "Models: gil, one heap and one lock kept for 5 ms; lock, taken for every "
      "request;\ninterpreters, a heap each; shared, one heap that serves all "
      "threads; processes.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
