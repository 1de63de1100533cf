// Runs the command and prints what its children copied.
#include "tools/cli/cow.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/cow/cow.h"
#include "tools/output/output_file.h"

namespace arenalab {
namespace {

struct Flags {
  CowOptions options;
  std::string json;
  bool force = false;
  bool no_hook = false;
};

int Run(Flags& flags) {
  flags.options.hook = !flags.no_hook;
  if (flags.no_hook && flags.options.gc_freeze)
    throw UsageError(
        "cow: --gc-freeze needs the hook that --no-hook leaves out");
  const CowResult result = WatchCopies(flags.options);
  // stdout is the program's.
  std::fputs(CowText(result).c_str(), stderr);
  if (!flags.json.empty()) {
    using Json = nlohmann::ordered_json;
    WriteWholeFile(
        flags.json, flags.force,
        CowJson(result).dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
  }
  return result.status;
}

}  // namespace

void AddCow(CommandLine& line) {
  Verb verb = line.AddVerb(
      "cow", "What a program's forked children copy of its memory, and why");
  auto flags = std::make_shared<Flags>();
  verb.Program(&flags->options.command, "The program that forks").Required();
  verb.Value("--every", &flags->options.every_seconds,
             "Look at each child every so many seconds")
      .Between(0.01, 3600.0)
      .ShowDefault();
  verb.Flag("--gc-freeze", &flags->options.gc_freeze,
            "Call gc.freeze() before each fork (3.7 and later)");
  verb.Flag("--no-hook", &flags->no_hook,
            "Leave the interpreter alone: collections are not told apart");
  verb.Value("--json", &flags->json, "Write all of it here");
  verb.Flag("-f,--force", &flags->force, "Replace an existing file");
  verb.Footer(
      "Examples:\n"
      "  arenalab cow -- python3 workloads/prefork.py\n"
      "  arenalab cow --gc-freeze -- python3 workloads/prefork.py\n"
      "  arenalab cow --json cow.json -- gunicorn -w 8 --preload app\n"
      "  arenalab cow -- arenalab exec -a mimalloc -- python3 app.py\n"
      "\n"
      "The program runs under ptrace: each child stands still for a moment at "
      "its fork, at the begin and end of collections, and at its end. The "
      "report goes to stderr; the exit status is the program's, 3 if it "
      "cannot be traced.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
