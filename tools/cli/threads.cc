// Flags of `arenalab threads`, and what it prints.
#include "tools/cli/threads.h"

#include <cstdio>
#include <memory>
#include <string>

#include "tools/cli/progress.h"
#include "tools/output/output_file.h"
#include "tools/threads/thread_table.h"

namespace arenalab {
namespace {

struct Flags {
  ThreadTableRequest request;
  std::vector<std::uint64_t> threads;
  std::string mode = "faithful";
  std::string scope = "python";
  std::string touch = "header";
  std::string output;
  bool json = false;
  bool overwrite = false;
};

int Run(Flags& flags) {
  ThreadTableRequest& request = flags.request;
  request.interleaving = flags.mode == "faithful" ? Interleaving::kFaithful
                         : flags.mode == "free"   ? Interleaving::kFree
                                                  : Interleaving::kSerial;
  request.scope = *ScopeNamed(flags.scope);
  request.touch = *TouchOfName(flags.touch);
  if (!flags.threads.empty()) {
    request.threads.assign(flags.threads.begin(), flags.threads.end());
  }
  ThreadTable table;
  {
    Progress progress("threads");
    progress.Phase("proving the content, then timing");
    request.progress = [&](int done, int total) {
      progress.Part("runs", done, total);
    };
    table = MeasureThreadTable(request);
  }
  if (!flags.output.empty()) {
    WriteWholeFile(flags.output, flags.overwrite, ThreadTableJson(table));
  }
  const std::string text =
      flags.json ? ThreadTableJson(table) : ThreadTableText(table);
  std::fputs(text.c_str(), stdout);
  return table.content_proved() ? kOk : kDifferent;
}

}  // namespace

void AddThreads(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  ThreadTableRequest& request = flags->request;
  request.allocators = "system,mimalloc,jemalloc,pymalloc";
  Verb verb =
      line.AddVerb("threads", "Replay a recording's threads on real threads");
  verb.Positional("TRACE", &request.trace, "A recording").Required();
  verb.Value("-a,--allocators", &request.allocators,
             "Allocators, or malloc libraries by path")
      .ShowDefault();
  verb.Value("--threads", &flags->threads,
             "How many real threads, e.g. 1,2,4; recorded threads share them "
             "(default: 1,2,4,8; more than cores are not measured)")
      .Comma();
  verb.Value("--mode", &flags->mode,
             "faithful: the recorded interleaving, to a window; free: threads "
             "wait only for objects handed over; serial: one thread, the "
             "recorded order")
      .OneOf({"faithful", "free", "serial"})
      .ShowDefault();
  verb.Value("--window", &request.window,
             "Recorded steps that a thread may be ahead of the slowest "
             "(faithful)")
      .Between(std::int64_t{8}, std::int64_t{1} << 40)
      .ShowDefault();
  verb.Flag("--behind-lock", &request.behind_lock,
            "Allocators for one thread get one lock around them; else n/a");
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
      "  arenalab threads run.trace\n"
      "  arenalab threads --mode free --threads 1,2 run.trace\n"
      "  arenalab threads -a pymalloc,system --behind-lock --json run.trace\n"
      "\n"
      "Exit status: 0; 1 when a block's content was lost, two overlapped, or "
      "a request was not executed.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
