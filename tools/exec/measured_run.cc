// Starting, sampling and waiting; contract in measured_run.h.
#include "tools/exec/measured_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace arenalab {
namespace {

constexpr long kBetweenSamplesNs = 2'000'000;
// smaps_rollup walks every page table: less often.
constexpr long kBetweenPssSamplesNs = 20'000'000;

double Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * 1e-6;
}

std::uint64_t RssOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(getpagesize());
}

std::uint64_t PssOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("Pss:")) {
      return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
    }
  }
  return 0;
}

// `process` and all below it.
void AddFamily(pid_t process, std::vector<pid_t>* family) {
  family->push_back(process);
  const std::string name = std::to_string(process);
  std::ifstream file("/proc/" + name + "/task/" + name + "/children");
  pid_t child;
  while (file >> child) AddFamily(child, family);
}

void SetVariables(const Arm& arm) {
  for (const Variable& variable : arm.variables) {
    std::string value = variable.value;
    // What the caller preloads is still preloaded, in front of ours.
    if (const char* before = std::getenv("LD_PRELOAD");
        variable.name == "LD_PRELOAD" && before != nullptr && *before != 0) {
      value = std::string(before) + ":" + value;
    }
    setenv(variable.name.c_str(), value.c_str(), 1);
  }
}

std::vector<char*> Words(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  return words;
}

// Where the interpreters of a run note their end; gone with it.
class NoteFile {
 public:
  NoteFile() {
    path_ = (std::filesystem::temp_directory_path() / "arenalab-note-XXXXXX")
                .string();
    const int fd = mkstemp(path_.data());
    if (fd >= 0) close(fd);
  }
  ~NoteFile() { unlink(path_.c_str()); }
  NoteFile(const NoteFile&) = delete;
  NoteFile& operator=(const NoteFile&) = delete;

  const std::string& path() const { return path_; }

  // That of `process`, or else the last.
  struct Note {
    pid_t process = 0;
    std::uint64_t resident_kib = 0;
    std::int64_t monotonic_ns = 0;
  };
  std::optional<Note> Of(pid_t process) const {
    std::ifstream file(path_);
    std::optional<Note> found;
    Note note;
    while (file >> note.process >> note.resident_kib >> note.monotonic_ns) {
      if (!found || found->process != process) found = note;
    }
    return found;
  }

 private:
  std::string path_;
};

// The arm, with the note of the end: from its own library, or the observer's.
Arm WithNote(Arm arm, const std::string& path) {
  arm.variables.push_back({"ARENALAB_FINALISE_NOTE", path});
  for (Variable& variable : arm.variables) {
    if (variable.name != "LD_PRELOAD") continue;
    if (variable.value.find("libarenalab_") == std::string::npos) {
      variable.value += ":" + PreloadLibrary("observer");
    }
    return arm;
  }
  arm.variables.push_back({"LD_PRELOAD", PreloadLibrary("observer")});
  return arm;
}

int StatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                  : WEXITSTATUS(wait_status);
}

}  // namespace

int BecomeProgram(const Arm& arm, const std::vector<std::string>& command) {
  SetVariables(arm);
  std::vector<char*> words = Words(command);
  execvp(words[0], words.data());
  const int error = errno;
  std::fprintf(stderr, "arenalab: %s: %s\n", words[0], std::strerror(error));
  return error == ENOENT ? 127 : 126;
}

MeasuredRun RunMeasured(const Arm& arm, const std::vector<std::string>& command,
                        bool shows_output) {
  const NoteFile file;
  const Arm noted = WithNote(arm, file.path());
  std::fflush(nullptr);
  const double start = Now();
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    if (!shows_output) dup2(null, STDOUT_FILENO);
    _exit(BecomeProgram(noted, command));
  }
  MeasuredRun run;
  if (child < 0) {
    run.status = 126;
    return run;
  }
  std::vector<MemorySample> curve;
  rusage usage{};
  int wait_status = 0;
  for (;;) {
    std::vector<pid_t> family;
    AddFamily(child, &family);
    const bool several = family.size() > 1;
    run.forked = run.forked || several;
    std::uint64_t bytes = 0;
    for (const pid_t process : family) {
      bytes += several ? PssOf(process) : RssOf(process);
    }
    if (wait4(child, &wait_status, WNOHANG, &usage) == child) break;
    curve.push_back({Now() - start, bytes});
    const timespec pause{0, several ? kBetweenPssSamplesNs : kBetweenSamplesNs};
    nanosleep(&pause, nullptr);
  }
  run.wall_s = Now() - start;
  run.status = StatusOf(wait_status);
  run.cpu_s = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  run.minor_faults = static_cast<std::uint64_t>(usage.ru_minflt);
  for (const MemorySample& sample : curve) {
    run.peak_bytes = std::max(run.peak_bytes, sample.bytes);
  }
  if (!run.forked) {
    run.peak_bytes = std::max(
        run.peak_bytes, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
  }
  const auto note = file.Of(child);
  if (note) {
    const double end_s = static_cast<double>(note->monotonic_ns) * 1e-9 - start;
    while (!curve.empty() && curve.back().time_s > end_s) curve.pop_back();
  }
  run.valley_bytes = LastValley(curve);
  run.end_bytes = note && !run.forked ? note->resident_kib * 1024
                  : curve.empty()     ? 0
                                      : curve.back().bytes;
  return run;
}

std::optional<std::uint64_t> LastValley(
    const std::vector<MemorySample>& curve) {
  std::uint64_t peak = 0;
  for (const MemorySample& sample : curve) peak = std::max(peak, sample.bytes);
  const std::uint64_t prominence = peak / 5;
  // From the end: once it has been higher by a prominence, the least before
  // that, down to where it is a prominence higher again.
  std::uint64_t highest = 0;
  std::size_t i = curve.size();
  std::uint64_t least = UINT64_MAX;
  while (i-- > 0) {
    const std::uint64_t bytes = curve[i].bytes;
    if (least == UINT64_MAX) {
      highest = std::max(highest, bytes);
      if (bytes + prominence <= highest) least = bytes;
    } else {
      if (bytes >= least + prominence) return least;
      least = std::min(least, bytes);
    }
  }
  return std::nullopt;
}

}  // namespace arenalab
