// The newcomer's verb: a program in, a proof, a verdict and a page out. It only
// joins the other verbs. All it says goes to stderr: stdout is the program's.
#include "tools/cli/run.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/cli/record.h"
#include "tools/cli/replay.h"
#include "tools/cli/report.h"
#include "tools/replay/results_file.h"
#include "tools/replay/verdict.h"
#include "tools/verify/verify.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

struct Flags {
  RecordRequest record;
  ReplayRequest replay;
  std::string page;
  bool force = false;
};

// The page's name without its ending: trace and results lie beside it.
std::string StemOf(const std::string& page) {
  for (const char* end : {".report.html", ".html"}) {
    if (page.ends_with(end)) {
      return page.substr(0, page.size() - std::string(end).size());
    }
  }
  return page;
}

// Before the program runs, not after it.
void RefuseToOverwrite(const Flags& flags, const std::string& stem) {
  if (flags.force || flags.page.empty()) return;
  for (const std::string& path :
       {flags.page, stem + ".trace", stem + ".json"}) {
    if (fs::exists(path)) {
      throw InputError(path + ": exists; give -f to replace it");
    }
  }
}

int Run(Flags& flags) {
  flags.page = ExpandName(flags.page, flags.record.command);
  std::string stem = StemOf(flags.page);
  RefuseToOverwrite(flags, stem);
  if (!stem.empty()) flags.record.output = stem + ".trace";
  flags.record.force = flags.force;
  const RecordOutcome recorded = Record(flags.record);
  if (recorded.trace.empty()) return recorded.status;

  // From here on the program has run, and its exit status is this one's,
  // unless something of ours fails.
  try {
    const VerifyReport proof = Verify(recorded.trace, VerifyOptions{});
    std::fputs(VerifyText(proof).c_str(), stderr);

    stem = fs::path(recorded.trace).replace_extension().string();
    flags.replay.trace = recorded.trace;
    flags.replay.verify = nlohmann::ordered_json::parse(VerifyJson(proof));
    const nlohmann::ordered_json results = ReplayForPeople(flags.replay);
    WriteResults(results, stem + ".json", flags.force);
    std::fprintf(stderr, "\n%s\n", SummaryTable(results).c_str());
    for (const auto& line : results["verdict"]["lines"]) {
      std::fprintf(stderr, "%s\n", line.get<std::string>().c_str());
    }
    std::fputs("\n", stderr);
    WriteReport(results, stem + ".json",
                flags.page.empty() ? stem + ".report.html" : flags.page,
                flags.force, ReportOptions{});
  } catch (const InputError& error) {
    std::fprintf(stderr, "arenalab: %s\n", error.what());
    return kOursFailed;
  }
  return recorded.status;
}

}  // namespace

void AddRun(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "run",
      "Record a Python program, prove the recording, replay it on every "
      "allocator and write the report");
  verb.Value("-o,--output", &flags->page,
             "The page; trace and results lie beside it "
             "[arenalab-%n-%t-%p.report.html, as for record]");
  verb.Value("-a,--allocators", &flags->replay.allocators,
             std::string("As for replay [") + kDefaultAllocators + "]");
  verb.Value("--repetitions", &flags->replay.repetitions,
             "Timed rounds; 0 measures no times")
      .Between(0, 10000)
      .ShowDefault();
  verb.Flag("-f,--force", &flags->force, "Replace existing files");
  verb.Program(&flags->record.command, "The program, after --").Required();
  verb.Footer(
      "Examples:\n"
      "  arenalab run -- python3 app.py\n"
      "  arenalab run -o app.html -- python3 -m pytest tests\n"
      "  arenalab run -a pymalloc,jemalloc --repetitions 0 -- python3 app.py\n"
      "\n"
      "Exit status: the program's own; 125 where nothing was recorded or a "
      "later step failed.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
