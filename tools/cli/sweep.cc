// Flags of `arenalab sweep`, and where its three outputs go.
#include "tools/cli/sweep.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "tools/cli/progress.h"
#include "tools/output/output_file.h"
#include "tools/sweep/sweep.h"

namespace arenalab {
namespace {

struct Flags {
  SweepRequest request;
  std::vector<std::string> keys;
  std::string scope = "python";
  std::string json;
  std::string csv;
  int jobs = 0;
  bool overwrite = false;
};

std::vector<std::string> CommandWords() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

int Run(Flags& flags) {
  SweepRequest& request = flags.request;
  for (const std::string& key : flags.keys)
    request.keys.push_back(ParseSweptKey(key));
  request.scope = *ScopeNamed(flags.scope);
  request.jobs = flags.jobs > 0
                     ? static_cast<unsigned>(flags.jobs)
                     : std::max(1u, std::thread::hardware_concurrency());
  SweepResult result;
  {
    Progress progress("sweep");
    progress.Phase("modelling");
    request.progress = [&](std::size_t done, std::size_t total) {
      progress.Part("models", static_cast<int>(done), static_cast<int>(total));
    };
    result = Sweep(request);
  }
  if (!flags.json.empty()) {
    WriteWholeFile(flags.json, flags.overwrite,
                   SweepJson(result, CommandWords()));
  }
  if (!flags.csv.empty())
    WriteWholeFile(flags.csv, flags.overwrite, SweepCsv(result));
  if (flags.json != "-" && flags.csv != "-")
    std::fputs(SweepTable(result).c_str(), stdout);
  return kOk;
}

}  // namespace

void AddSweep(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "sweep",
      "What if pymalloc had other values: every combination, many recordings.\n"
      "\n"
      "  arenalab sweep app.trace --sweep keep_arenas=0,1,4,16\n"
      "  arenalab sweep *.trace --sweep pool_bytes=4096,16384 --csv sizes.csv\n"
      "  arenalab sweep app.trace --sweep geometry=cpython-3.8,cpython-3.13\n");
  verb.Positional("TRACE", &flags->request.traces, "Recordings").Required();
  verb.Value("--sweep", &flags->keys,
             "KEY=VALUE,VALUE: a setting of pymalloc, or geometry; may be "
             "repeated for combinations")
      .OneEach()
      .Required();
  verb.Value("--geometry", &flags->request.geometry,
             "The base (default: the recorded generation)");
  verb.Value("--scope", &flags->scope, "Whose requests are replayed")
      .OneOf({"python", "python+raw", "process"})
      .ShowDefault();
  verb.Value("-j,--jobs", &flags->jobs,
             "Models at a time; the figures are the same with any number "
             "(default: one per core)")
      .Between(1, 1024);
  verb.Value("--json", &flags->json, "Write all figures here, - for stdout");
  verb.Value("--csv", &flags->csv,
             "Write a line for each recording and combination here, - for "
             "stdout");
  verb.Flag("-f,--force", &flags->overwrite, "Replace existing files");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
