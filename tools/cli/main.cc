// arenalab, the one program: parses the command line and calls the verb. The
// only place where errors become exit statuses.
#include <cstdio>
#include <exception>

#include "tools/cli/bench.h"
#include "tools/cli/ci.h"
#include "tools/cli/compare.h"
#include "tools/cli/completion.h"
#include "tools/cli/cow.h"
#include "tools/cli/doctor.h"
#include "tools/cli/exec.h"
#include "tools/cli/experiment.h"
#include "tools/cli/help.h"
#include "tools/cli/inspect.h"
#include "tools/cli/mark.h"
#include "tools/cli/models.h"
#include "tools/cli/record.h"
#include "tools/cli/replay.h"
#include "tools/cli/report.h"
#include "tools/cli/run.h"
#include "tools/cli/stats.h"
#include "tools/cli/sweep.h"
#include "tools/cli/threads.h"
#include "tools/cli/trace.h"
#include "tools/cli/verb.h"
#include "tools/cli/verify.h"
#include "tools/cli/workers.h"
#include "tools/verify/clone_predictor.h"
#include "tools/version.h"
#include "tracer/format/address_predictor.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

int Main(int argc, char** argv) {
  SetPredictorFactory(MakeClonePredictor);  // so that it reads packed traces
  CommandLine line(
      "arenalab",
      "Research on Python's memory allocator: record a real run, prove the "
      "recording, replay it on other allocators, see what holds the memory.",
      kVersion);

  // One line a verb.
  AddRun(line);
  AddRecord(line);
  AddReport(line);
  AddReplay(line);
  AddTrace(line);
  AddVerify(line);
  AddCompare(line);
  AddCow(line);
  AddCi(line);
  AddWorkers(line);
  AddStats(line);
  AddThreads(line);
  AddModels(line);
  AddBench(line);
  AddInspect(line);
  AddDoctor(line);
  AddMark(line);
  AddExperiment(line);
  AddSweep(line);
  AddExec(line);
  AddRemedies(line);
  AddCompletion(line);
  AddHelp(line);

  try {
    const int status = line.Run(argc, argv);
    // Data that did not reach its reader is no success.
    if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) &&
        status == kOk) {
      throw InputError("cannot write to standard output; is the disk full?");
    }
    return status;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "arenalab: %s\n", error.what());
    return kUsage;
  } catch (const InputError& error) {
    std::fprintf(stderr, "arenalab: %s\n", error.what());
    return kBadInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "arenalab: internal error: %s\n", error.what());
    return kOursFailed;
  }
}

}  // namespace
}  // namespace arenalab

int main(int argc, char** argv) { return arenalab::Main(argc, argv); }
