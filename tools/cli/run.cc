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

// Of several processes the one with the most memory of its own is replayed too,
// and its page written beside the main one's, each a click from the other.
void ReplayWorst(const Flags& flags, const nlohmann::ordered_json& results,
                 const std::string& main_page) {
  const auto& processes = results.at("processes");
  if (processes.is_null()) return;
  std::fprintf(stderr, "%s\n", processes["words"].get<std::string>().c_str());
  const auto& worst =
      processes["members"][processes["worst"].get<std::size_t>()];
  if (worst["is_this"].get<bool>()) return;
  const fs::path trace = fs::path(flags.replay.trace).parent_path() /
                         worst["file"].get<std::string>();
  ReplayRequest replay = flags.replay;
  replay.trace = trace;
  replay.verify = nullptr;
  nlohmann::ordered_json of_worst = ReplayForPeople(replay);
  const std::string stem = fs::path(trace).replace_extension().string();
  const fs::path page = fs::path(main_page).parent_path() /
                        (fs::path(stem).filename().string() + ".report.html");
  WriteResults(of_worst, stem + ".json", flags.force);
  LinkPages(&of_worst, page, main_page);
  WriteReport(of_worst, stem + ".json", page, flags.force, ReportOptions{});
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
    nlohmann::ordered_json results = ReplayForPeople(flags.replay);
    WriteResults(results, stem + ".json", flags.force);
    std::fprintf(stderr, "\n%s\n", SummaryTable(results).c_str());
    for (const auto& line : results["verdict"]["lines"]) {
      std::fprintf(stderr, "%s\n", line.get<std::string>().c_str());
    }
    std::fputs("\n", stderr);
    const std::string page =
        flags.page.empty() ? stem + ".report.html" : flags.page;
    ReplayWorst(flags, results, page);
    LinkPages(&results, page, "");
    WriteReport(results, stem + ".json", page, flags.force, ReportOptions{});
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
      "Of a run of several processes the main one is replayed, and the one "
      "with the\nmost memory of its own: a page each, linked.\n"
      "\n"
      "Exit status: the program's own; 125 where nothing was recorded or a "
      "later step failed.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
