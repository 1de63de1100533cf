// Reads a process's memory and prints what it is.
#include "tools/cli/inspect.h"

#include <cstdio>
#include <memory>
#include <string>

#include "tools/inspect/inspection.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Flags {
  std::string target;
  bool debug_malloc_stats = false;
};

int PidOf(const std::string& text) {
  char* end;
  const long pid = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || pid <= 0 || pid > 1 << 22)
    throw InputError(text + ": is no process id");
  return static_cast<int>(pid);
}

int Run(const Flags& flags) {
  const Inspection inspection = InspectProcess(PidOf(flags.target));
  std::fputs(DebugMallocStatsText(inspection).c_str(), stdout);
  return kOk;
}

}  // namespace

void AddInspect(CLI::App& app, int* status) {
  CLI::App* verb = app.add_subcommand(
      "inspect", "What a running Python process's memory is, from outside");
  auto flags = std::make_shared<Flags>();
  verb->add_option("PID", flags->target, "A process that may be read")
      ->required();
  verb->add_flag("--debugmallocstats", flags->debug_malloc_stats,
                 "What sys._debugmallocstats() would print there, and no more");
  verb->footer(
      "Examples:\n"
      "  arenalab inspect 4711");
  verb->callback([flags, status] { *status = Run(*flags); });
}

}  // namespace arenalab
