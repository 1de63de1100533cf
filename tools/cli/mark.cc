// Of a recorded process: leaves the name as a file in the run's directory,
// which the process's own mappings name, and waits until the collector has
// taken it. Of a process on another allocator: its summary line, as it is now.
#include "tools/cli/mark.h"

#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "tools/exec/served_process.h"
#include "tracer/format/input_error.h"
#include "tracer/ring/ring.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// The collector looks every 20 ms; it may be busy with a census.
constexpr int kPatienceMs = 10'000;
constexpr int kLookEveryMs = 2;

struct Flags {
  int process = 0;
  std::string name;
};

// Where the process's ring file was: it is deleted, and still mapped. Empty
// where there is none.
fs::path RunDirectory(int process) {
  const std::string who = "process " + std::to_string(process);
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  if (!maps.is_open()) {
    throw InputError(
        who + ": " +
        (errno == ENOENT ? "there is no such process" : std::strerror(errno)));
  }
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    const std::size_t end = line.find(ring::kRingSuffix);
    if (path != line.npos && end != line.npos &&
        line.find("/arenalab-", path) != line.npos) {
      return fs::path(line.substr(path, end - path)).parent_path();
    }
  }
  return {};
}

// On stdout, and where the process will write its own at exit.
int MarkServed(const Flags& flags) {
  const std::optional<ServedProcess> served = FindServedProcess(flags.process);
  if (!served) {
    throw InputError("process " + std::to_string(flags.process) +
                     ": is not being recorded, nor run by `arenalab exec` "
                     "(or its memory may not be read: run this as the same "
                     "user or as root)");
  }
  const std::string line = SummaryLineNow(*served) + " mark=" + flags.name;
  std::puts(line.c_str());
  if (served->stats_file.empty()) return kOk;
  std::ofstream file(served->stats_file, std::ios::app);
  file << line << std::endl;
  if (!file) {
    throw InputError(served->stats_file +
                     ": the mark could not be written behind what is there");
  }
  return kOk;
}

void Sleep(long ms) {
  const timespec time = {0, ms * 1'000'000};
  nanosleep(&time, nullptr);
}

int Run(const Flags& flags) {
  const fs::path directory = RunDirectory(flags.process);
  if (directory.empty()) return MarkServed(flags);
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::string stem = std::to_string(flags.process) + "-" +
                           std::to_string(now.tv_sec) + "." +
                           std::to_string(now.tv_nsec);
  const fs::path hidden = directory / ("." + stem);
  const fs::path file = directory / (stem + ring::kMarkSuffix);
  std::ofstream(hidden) << flags.name;
  std::error_code error;
  fs::rename(hidden, file, error);
  if (error) {
    throw InputError("process " + std::to_string(flags.process) +
                     ": its recorder has ended, or is another user's: " +
                     directory.string() + ": " + error.message());
  }
  for (int waited = 0; waited < kPatienceMs; waited += kLookEveryMs) {
    if (!fs::exists(file, error)) return kOk;
    Sleep(kLookEveryMs);
  }
  fs::remove(file, error);
  throw InputError("process " + std::to_string(flags.process) +
                   ": its recorder does not answer; no mark was made");
}

}  // namespace

void AddMark(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "mark",
      "A mark in the trace of a recorded process, or beside exec's line");
  verb.Positional("PID", &flags->process, "The process").Required();
  verb.Positional("NAME", &flags->name, "The mark's name").Required();
  verb.Footer(
      "Examples:\n"
      "  arenalab mark 4711 'cache filled'\n"
      "  arenalab stats app.trace                       lists the marks\n"
      "  arenalab replay app.trace -o app.json          a mark is a place on "
      "its clock\n"
      "\n"
      "The mark stands where the program is when the recorder takes it, up to "
      "20 ms later;\nthe resident memory is read there and, where the run was "
      "recorded with --types,\nwhat lives. The program is not stopped. From "
      "within a program:\ntracer/mark/arenalab_mark.py.\n"
      "\n"
      "Of a program that `arenalab exec` runs: its summary line as it is now, "
      "with mark=NAME\nat the end; appended to its --stats-file, too.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
