// What /proc tells, and the arenas by `inspect`; contract in served_process.h.
#include "tools/exec/served_process.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tools/inspect/inspection.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::string_view kLibrary = "/libarenalab_";
constexpr std::string_view kLibraryEnd = ".so";

std::string Text(int pid, const char* name) {
  errno = 0;
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name,
                     std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.is_open() && !text.empty()) return text;
  throw InputError("process " + std::to_string(pid) + ": " +
                   (errno == 0        ? "has ended"
                    : errno == ENOENT ? "there is no such process"
                                      : std::strerror(errno)));
}

// The value of a variable that the process was started with; "" if it was not.
std::string StartedWith(const std::string& environment,
                        const std::string& name) {
  std::istringstream words(environment);
  for (std::string word; std::getline(words, word, '\0');) {
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return "";
}

// "pymalloc" of ".../libarenalab_pymalloc.so"; "" if there is none of ours, or
// one that serves nobody.
std::string LibraryIn(const std::string& maps) {
  const std::size_t at = maps.find(kLibrary);
  if (at == maps.npos) return "";
  const std::size_t begin = at + kLibrary.size();
  const std::size_t end = maps.find(kLibraryEnd, begin);
  if (end == maps.npos) return "";
  const std::string name = maps.substr(begin, end - begin);
  return name == "observer" || name == "trace" ? "" : name;
}

long Kib(const std::string& status, const char* name) {
  const std::size_t at = status.find(name);
  return at == status.npos
             ? -1
             : std::strtol(status.c_str() + at + std::strlen(name), nullptr,
                           10);
}

struct Times {
  double wall_s = 0;
  double cpu_s = 0;
  long minor_faults = 0;
};

Times TimesOf(int pid) {
  const std::string stat = Text(pid, "stat");
  // Behind the program's name, which may hold anything: the state is field 3.
  std::istringstream words(stat.substr(stat.rfind(')') + 2));
  constexpr int kFirst = 3, kFaults = 10, kUser = 14, kSystem = 15, kStart = 22;
  const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  Times times;
  double started_s = 0;
  int field = kFirst;
  for (std::string word; field <= kStart && words >> word; ++field) {
    const double value = std::strtod(word.c_str(), nullptr);
    if (field == kFaults) times.minor_faults = static_cast<long>(value);
    if (field == kUser || field == kSystem) times.cpu_s += value / ticks_per_s;
    if (field == kStart) started_s = value / ticks_per_s;
  }
  double up_s = 0;
  std::ifstream("/proc/uptime") >> up_s;
  times.wall_s = up_s - started_s;
  return times;
}

std::string ArenaFigures(int pid) {
  std::uint64_t arenas = 0, held = 0, blocks = 0;
  for (const HeapInspection& heap : InspectProcess(pid).heaps) {
    arenas += heap.reading.arenas.size();
    held += heap.reading.arenas.size() * heap.reading.geometry.arena_bytes;
    for (const ArenaReading& arena : heap.reading.arenas)
      blocks += arena.live_bytes;
  }
  return " arenas_live=" + std::to_string(arenas) +
         " held_bytes=" + std::to_string(held) +
         " block_bytes=" + std::to_string(blocks);
}

}  // namespace

std::optional<ServedProcess> FindServedProcess(int pid) {
  ServedProcess process{.pid = pid,
                        .allocator = LibraryIn(Text(pid, "maps")),
                        .scope = {},
                        .stats_file = {}};
  if (process.allocator.empty()) return std::nullopt;
  const std::string environment = Text(pid, "environ");
  process.scope = StartedWith(environment, "ARENALAB_SCOPE");
  if (process.scope.empty()) process.scope = "mem+obj";
  process.stats_file = StartedWith(environment, "ARENALAB_STATS");
  if (process.stats_file == "1") process.stats_file.clear();
  return process;
}

std::string SummaryLineNow(const ServedProcess& process) {
  const Times times = TimesOf(process.pid);
  const std::string status = Text(process.pid, "status");
  char figures[160];
  std::snprintf(figures, sizeof(figures),
                " wall_s=%.3f cpu_s=%.3f peak_kib=%ld minor_faults=%ld "
                "resident_kib=%ld",
                times.wall_s, times.cpu_s, Kib(status, "VmHWM:"),
                times.minor_faults, Kib(status, "VmRSS:"));
  std::string line = "arenalab exec: allocator=" + process.allocator +
                     " scope=" + process.scope +
                     " hooks=unread pid=" + std::to_string(process.pid) +
                     figures;
  if (process.allocator == "pymalloc" || process.allocator == "pass-through")
    line += ArenaFigures(process.pid);
  return line;
}

}  // namespace arenalab
