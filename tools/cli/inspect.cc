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
#include "tools/inspect/process_group.h"
#include "tools/inspect/snapshot.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

struct Flags {
  std::vector<std::string> targets;
  bool json = false;
  bool debug_malloc_stats = false;
  bool blocks = false;
  bool difference = false;
  bool freeze = false;
  double most_stopped_ms = 50;
  bool by_headers = false;
  std::string snapshot;
  std::vector<std::string> free_types;
  bool tree = false;
  bool cgroup = false;
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
  std::printf("%llx %zu %s%s %s\n",
              static_cast<unsigned long long>(block.address + held.offset),
              block.block_bytes, held.is_part ? "memory:" : "",
              held.type == nullptr ? "-" : held.type->name.c_str(),
              NameOf(held.owner));
}

// Names come from the target: what is no UTF-8 must not stop the rest.
std::string Dumped(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
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

std::string WhatIfLine(const WhatIf& answer) {
  return "Freeing " + std::to_string(answer.blocks) + " blocks of " +
         answer.type + " (" + std::to_string(answer.bytes) +
         " bytes) releases " + std::to_string(answer.arenas_released) +
         " arenas; " + std::to_string(answer.arenas_left) + " stay\n";
}

// Of a file that -o wrote.
int AskClone(const std::string& path, const Flags& flags) {
  const Snapshot snapshot = ReadSnapshot(path);
  if (flags.debug_malloc_stats) {
    Print(SnapshotStatisticsText(snapshot));
  } else if (!flags.free_types.empty()) {
    Print(WhatIfLine(FreeAllOf(snapshot, flags.free_types)));
  } else {
    Print(SnapshotText(snapshot));
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
  if (flags.tree || flags.cgroup) {
    if (!pid)
      throw InputError(target + ": --tree and --cgroup need a process id");
    const ProcessGroup group = flags.tree ? TreeOf(*pid) : CgroupOf(*pid);
    Print(flags.json ? Dumped(GroupJson(group)) : GroupText(group));
    return kOk;
  }
  if (!pid && IsTraceFile(target)) return AskClone(target, flags);
  if (!flags.free_types.empty())
    throw InputError(target +
                     ": --free needs what `arenalab inspect -o` wrote");
  InspectOptions options;
  options.visit = flags.blocks ? PrintBlock : BlockVisitor();
  options.freeze = flags.freeze;
  options.most_stopped_ms = flags.most_stopped_ms;
  options.by_headers = flags.by_headers;
  options.snapshot_path = flags.snapshot;
  const Inspection inspection =
      pid ? InspectProcess(*pid, options) : InspectCore(target, options);
  if (!flags.snapshot.empty()) {
    std::fprintf(stderr, "%s\n", flags.snapshot.c_str());
    if (!flags.json && !flags.blocks && !flags.debug_malloc_stats) return kOk;
  }
  if (flags.blocks) return kOk;
  Print(flags.debug_malloc_stats ? DebugMallocStatsText(inspection)
        : flags.json             ? Dumped(InspectionJson(inspection))
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
  verb.Flag("--tree", &flags->tree,
            "The process and its descendants: Pss summed, one a line");
  verb.Flag(
      "--cgroup", &flags->cgroup,
      "Likewise all processes of its cgroup (a container's, a service's)");
  verb.Flag("--freeze", &flags->freeze,
            "Hold the process still while its arenas are read (ptrace, no "
            "signal)");
  verb.Value("--most-ms", &flags->most_stopped_ms,
             "The most that --freeze holds it, in milliseconds")
      .Between(1.0, 60000.0)
      .ShowDefault();
  verb.Value("-o,--output", &flags->snapshot,
             "Write its heaps as a trace that the clone goes on from");
  verb.Value("--free", &flags->free_types,
             "Of a file that -o wrote: what freeing all blocks of this "
             "type releases; may be repeated")
      .OneEach();
  verb.Flag("--by-headers", &flags->by_headers,
            "Find arenas by their pools' headers, not by the "
            "interpreter's records");
  verb.Footer(
      "Examples:\n"
      "  arenalab inspect 4711\n"
      "  arenalab inspect --watch 5 4711\n"
      "  arenalab inspect core.4711\n"
      "  arenalab inspect --tree 4711             a prefork server's workers\n"
      "  arenalab inspect --freeze -o heap.snap 4711\n"
      "  arenalab inspect heap.snap               what each type holds\n"
      "  arenalab inspect heap.snap --free dict   what freeing them releases\n"
      "  arenalab inspect --json 4711 > now.json\n"
      "  arenalab inspect --diff then.json now.json\n"
      "\n"
      "The process is read while it runs; it is not stopped unless --freeze "
      "says so, for 50 ms at most, and gets no signal.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
