// arenalab, the one program: parses the command line and calls the verb. The
// only place where errors become exit statuses.
#include <cstdio>
#include <exception>

#include "tools/cli/compare.h"
#include "tools/cli/doctor.h"
#include "tools/cli/experiment.h"
#include "tools/cli/help.h"
#include "tools/cli/inspect.h"
#include "tools/cli/record.h"
#include "tools/cli/replay.h"
#include "tools/cli/report.h"
#include "tools/cli/run.h"
#include "tools/cli/stats.h"
#include "tools/cli/trace.h"
#include "tools/cli/verb.h"
#include "tools/cli/verify.h"
#include "tools/version.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

int Main(int argc, char** argv) {
  CLI::App app{
      "Research on Python's memory allocator: record a real run, prove the "
      "recording, replay it on other allocators, see what holds the memory.",
      "arenalab"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  UseHelpFormat(app);
  int status = kOk;

  // One line a verb: AddRecord(app, &status); and so on.
  AddRun(app, &status);
  AddRecord(app, &status);
  AddReport(app, &status);
  AddReplay(app, &status);
  AddTrace(app, &status);
  AddVerify(app, &status);
  AddCompare(app, &status);
  AddStats(app, &status);
  AddInspect(app, &status);
  AddDoctor(app, &status);
  AddExperiment(app, &status);
  AddHelp(app, &status);

  const std::string separator = MissingSeparator(app, argc, argv);
  if (!separator.empty()) {
    std::fprintf(stderr, "arenalab: %s\n", separator.c_str());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = UnknownVerb(app, argc, argv);
    if (!unknown.empty()) {
      std::fprintf(stderr, "arenalab: %s\n", unknown.c_str());
      return kUsage;
    }
    // CLI11 has exit codes of its own for usage errors; ours is 2.
    return app.exit(error) == 0 ? kOk : kUsage;
  } catch (const InputError& error) {
    std::fprintf(stderr, "arenalab: %s\n", error.what());
    return kBadInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "arenalab: internal error: %s\n", error.what());
    return kOursFailed;
  }
  return status;
}

}  // namespace
}  // namespace arenalab

int main(int argc, char** argv) { return arenalab::Main(argc, argv); }
