// C1: a parent builds 300,000 small tuples and forks; how much memory does one
// action of the child copy? Asked of real interpreters, each in a process of
// its own, with the cyclic garbage collector on and off while the tuples are
// built, and after it: off, none of them has been looked at yet when the child
// collects; on, the collector untracks tuples of numbers and strings as it
// goes.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tools/experiments/experiment.h"
#include "tools/experiments/subjects.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// Each action in a child of its own, which tells how many KiB of its memory are
// private and written: Private_Dirty of the kernel. A child that does nothing
// has some, too. gc.freeze() comes last: it cannot be undone as a child can.
constexpr char kProgram[] = R"(import sys, os, gc
building, count = sys.argv[1], int(sys.argv[2])
def private():
    total = 0
    with open('/proc/self/smaps') as smaps:
        for line in smaps:
            if line.startswith('Private_Dirty:'):
                total += int(line.split()[1])
    return total
def nothing(data): pass
def iterate(data):
    for t in data: pass
def first(data):
    for t in data: t[0]
def collect(data): gc.collect()
def halve(data): del data[::2]
def clear(data):
    for i in range(0, len(data), 300): data[i] = None
def child(action, data):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action(data)
            os.write(writer, b'%d' % private())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    said = os.read(reader, 100)
    os.close(reader)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit('a child failed')
    return int(said)
if building == 'off':
    gc.disable()
data = [(i + 1000, i + 2000, str(i)) for i in range(count)]
private()
out = [child(action, data) for action in
       (nothing, iterate, first, collect, halve, clear)]
if hasattr(gc, 'freeze'):
    gc.freeze()
    out.append(child(collect, data))
else:
    out.append(-1)
print(*out)
)";

constexpr const char* kActions[] = {
    "nothing",   "iterate",           "iterate, t[0]",        "gc.collect",
    "del [::2]", "clear every 300th", "gc.freeze, gc.collect"};
constexpr std::size_t kActionCount = std::size(kActions);
constexpr std::size_t kCollect = 3;

struct Figures {
  std::string python;
  std::string building;  // "on" or "off"
  double kib[kActionCount];
};

Figures Ask(const Subject& subject, const char* building, int count,
            const std::string& script) {
  // -I: nothing of the user's; the script and the numbers are ours.
  const std::string command = "'" + subject.path + "' -I '" + script + "' " +
                              building + " " + std::to_string(count) + " 2>&1";
  std::string said;
  if (FILE* pipe = popen(command.c_str(), "r"); pipe != nullptr) {
    char piece[512];
    while (std::fgets(piece, sizeof(piece), pipe) != nullptr) said += piece;
    pclose(pipe);
  }
  Figures figures{subject.label, building, {}};
  const char* at = said.c_str();
  for (double& kib : figures.kib) {
    char* end;
    kib = std::strtod(at, &end);
    if (end == at)
      throw InputError("C1 on " + subject.path + " did not run: " + said);
    at = end;
  }
  return figures;
}

}  // namespace

ExperimentResult RunCopyOnWrite(const ExperimentRequest& request) {
  const int count = request.quick ? 30'000 : 300'000;
  const fs::path script = fs::temp_directory_path() /
                          ("arenalab.C1." + std::to_string(getpid()) + ".py");
  std::ofstream(script) << kProgram;
  std::vector<Figures> all;
  try {
    for (const Subject& subject : Subjects(request))
      for (const char* building : {"on", "off"}) {
        request.Phase("C1 on " + subject.label + ", collector " + building);
        all.push_back(Ask(subject, building, count, script));
      }
  } catch (...) {
    fs::remove(script);
    throw;
  }
  fs::remove(script);

  ExperimentResult result;
  result.reported =
      "A child of a parent with 300,000 tuples (i+1000, i+2000, str(i)): "
      "gc.collect() copies 41.2 MB on 3.11 where\n  the collector was off "
      "while they were built (an unpublished note); Instagram's engineering "
      "blog, 2017: shared\n  memory of a worker fell from 250 to 140 MB "
      "within seconds of the fork, by the collector.";
  result.measured = "  " + Cell("Python", 9) + Cell("gc while building", 18) +
                    "KiB written in the child (Private_Dirty)\n  " +
                    std::string(27, ' ');
  for (const char* action : kActions) {
    char cell[32];
    std::snprintf(cell, sizeof(cell), "%22s", action);
    result.measured += cell;
  }
  result.measured += "\n";
  double most = 0, least = 0;
  for (const Figures& row : all) {
    result.measured += "  " + Cell(row.python, 9) + Cell(row.building, 18);
    nlohmann::ordered_json kib;
    for (std::size_t i = 0; i < kActionCount; ++i) {
      result.measured +=
          row.kib[i] < 0 ? "                   n/a" : Figure(row.kib[i], 0, 22);
      if (row.kib[i] >= 0) kib[kActions[i]] = row.kib[i];
    }
    result.measured += "\n";
    result.raw.push_back({{"python", row.python},
                          {"collector_while_building", row.building},
                          {"tuples", count},
                          {"private_dirty_kib", kib}});
    const double copied = row.kib[kCollect] - row.kib[0];
    if (row.building == "off") most = std::max(most, copied);
    if (row.building == "on") least = std::max(least, copied);
  }
  result.meaning =
      "What gc.collect() copies in a child is decided while the parent builds: "
      "at most " +
      Figure(least / 1024, 1, 0) +
      " MiB where the collector ran then, at most " +
      Figure(most / 1024, 1, 0) +
      " MiB where it was off. Reading copies in both cases: it counts "
      "references. gc.freeze() before the fork saves what the collector would "
      "copy, and nothing else.";
  return result;
}

}  // namespace arenalab
