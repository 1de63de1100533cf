// Reads a process's memory and prints what it is.
#include "tools/cli/inspect.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/inspect/inspection.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Flags {
  std::vector<std::string> targets;
  bool json = false;
  bool debug_malloc_stats = false;
  bool blocks = false;
  bool difference = false;
  double watch_seconds = 0;
};

// A process id, or nullopt: then it is a file's name.
std::optional<int> PidOf(const std::string& text) {
  constexpr long kMostPid = 1 << 22;  // the kernel's own limit
  char* end;
  const long pid = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || pid <= 0 || pid > kMostPid)
    return std::nullopt;
  return static_cast<int>(pid);
}

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void PrintBlock(const LiveBlock& block, const HeldObject& held) {
  std::printf("%llx %zu %s %s\n",
              static_cast<unsigned long long>(block.address + held.offset),
              block.block_bytes,
              held.type == nullptr ? "-" : held.type->name.c_str(),
              NameOf(held.owner));
}

// Until the process ends, which is no error once there was a line.
int Watch(int pid, double seconds) {
  Print(InspectionLine(InspectProcess(pid)) + "\n");
  try {
    for (;;) {
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      Print(InspectionLine(InspectProcess(pid)) + "\n");
    }
  } catch (const InputError& ended) {
    std::fprintf(stderr, "arenalab: %s\n", ended.what());
  }
  return kOk;
}

int Run(const Flags& flags) {
  const std::size_t wanted = flags.difference ? 2 : 1;
  if (flags.targets.size() != wanted) {
    std::fprintf(
        stderr, "arenalab: inspect takes %s\n",
        flags.difference ? "two files after --diff" : "one PID or core file");
    return kUsage;
  }
  if (flags.difference) {
    Print(DifferenceText(flags.targets[0], flags.targets[1]));
    return kOk;
  }
  const std::string& target = flags.targets[0];
  const std::optional<int> pid = PidOf(target);
  if (flags.watch_seconds > 0) {
    if (!pid) throw InputError(target + ": --watch needs a process id");
    return Watch(*pid, flags.watch_seconds);
  }
  const BlockVisitor visit = flags.blocks ? PrintBlock : BlockVisitor();
  const Inspection inspection =
      pid ? InspectProcess(*pid, visit) : InspectCore(target, visit);
  if (flags.blocks) return kOk;
  Print(flags.debug_malloc_stats ? DebugMallocStatsText(inspection)
        : flags.json
            ? InspectionJson(inspection)
                      .dump(2, ' ', false,
                            nlohmann::ordered_json::error_handler_t::replace) +
                  "\n"
            : InspectionText(inspection));
  return kOk;
}

}  // namespace

void AddInspect(CommandLine& line) {
  Verb verb = line.AddVerb("inspect",
                           "What a Python process's memory is, from outside");
  auto flags = std::make_shared<Flags>();
  verb.Positional("PID|CORE", &flags->targets,
                  "A process that may be read, or a core file; with --diff "
                  "two files")
      .Required();
  verb.Flag("--json", &flags->json, "One JSON object on stdout");
  verb.Flag("--debugmallocstats", &flags->debug_malloc_stats,
            "What sys._debugmallocstats() would print there, and no more");
  verb.Flag("--blocks", &flags->blocks,
            "Every live block: object's address, block's bytes, type, "
            "owner");
  verb.Value("--watch", &flags->watch_seconds,
             "A line every so many seconds, until the process ends");
  verb.Flag("--diff", &flags->difference,
            "What grew between two files that --json wrote");
  verb.Footer(
      "Examples:\n"
      "  arenalab inspect 4711\n"
      "  arenalab inspect --watch 5 4711\n"
      "  arenalab inspect core.4711\n"
      "  arenalab inspect --json 4711 > now.json\n"
      "  arenalab inspect --diff then.json now.json\n"
      "\n"
      "The process is read while it runs; it is not stopped.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
