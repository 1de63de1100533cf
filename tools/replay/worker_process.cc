// Starting and ending a worker; contract in worker_process.h.
#include "tools/replay/worker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

[[noreturn]] void ThrowErrno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// A descriptor that is closed at the end of its scope.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {
    if (fd < 0) ThrowErrno("no descriptor for a replay worker");
  }
  ~OwnedFd() { close(fd_); }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool SteersAnAllocator(std::string_view variable) {
  for (std::string_view prefix :
       {"MALLOC_", "MIMALLOC_", "GLIBC_TUNABLES=", "LD_PRELOAD=", "PYTHON"}) {
    if (variable.starts_with(prefix)) return true;
  }
  return false;
}

std::vector<std::string> WorkerEnvironment(const AllocatorSpec& spec) {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!SteersAnAllocator(*variable)) environment.emplace_back(*variable);
  }
  environment.insert(environment.end(), spec.environment.begin(),
                     spec.environment.end());
  if (!spec.library.empty()) {
    environment.push_back("LD_PRELOAD=" + spec.library);
  }
  return environment;
}

std::string FirstLineOf(int fd) {
  char text[300];
  const ssize_t length = pread(fd, text, sizeof(text), 0);
  if (length <= 0) return "";
  std::string line(text, static_cast<std::size_t>(length));
  return line.substr(0, line.find('\n'));
}

std::string Subject(const AllocatorSpec& spec) {
  return "allocator '" + spec.spelled + "': ";
}

// While it lives, programs started from this thread get the same address-space
// layout every time: where an arena's base falls decides how many pools it has.
// Where the system forbids that (some containers) the layout stays random.
class FixedLayout {
 public:
  explicit FixedLayout(bool wanted) : before_(personality(0xffffffff)) {
    if (wanted && before_ >= 0) {
      personality(static_cast<unsigned long>(before_) | ADDR_NO_RANDOMIZE);
    }
  }
  ~FixedLayout() {
    if (before_ >= 0) personality(static_cast<unsigned long>(before_));
  }
  FixedLayout(const FixedLayout&) = delete;
  FixedLayout& operator=(const FixedLayout&) = delete;

 private:
  int before_;
};

// Descriptors below this are the worker's own.
constexpr int kAboveProtocol = 16;

pid_t Spawn(const AllocatorSpec& spec, int ops_fd, int report_fd, int stderr_fd,
            bool fixed_layout) {
  // First up and out of the way, so that no dup2 overwrites a later source.
  const OwnedFd ops(fcntl(ops_fd, F_DUPFD_CLOEXEC, kAboveProtocol));
  const OwnedFd report(fcntl(report_fd, F_DUPFD_CLOEXEC, kAboveProtocol));
  const OwnedFd errors(fcntl(stderr_fd, F_DUPFD_CLOEXEC, kAboveProtocol));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, errors.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ops.get(), kOpsFd);
  posix_spawn_file_actions_adddup2(&actions, report.get(), kReportFd);

  std::vector<std::string> environment = WorkerEnvironment(spec);
  std::vector<char*> variables;
  for (std::string& variable : environment) {
    variables.push_back(variable.data());
  }
  variables.push_back(nullptr);
  std::string program = spec.worker;
  char* arguments[] = {program.data(), nullptr};
  pid_t worker = 0;
  const FixedLayout layout(fixed_layout);
  const int error = posix_spawn(&worker, program.c_str(), &actions, nullptr,
                                arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw InputError(Subject(spec) + "its replay worker " + program +
                     " cannot be started: " + std::strerror(error));
  }
  return worker;
}

}  // namespace

WorkerReport::WorkerReport(const ReplayIn& in)
    : fd_(memfd_create("replay report", MFD_CLOEXEC)),
      bytes_(sizeof(ReplayReport) + in.samples * sizeof(ReplaySample)) {
  if (fd_ < 0) ThrowErrno("no memory for a replay's report");
  void* base = MAP_FAILED;
  if (ftruncate(fd_, static_cast<off_t>(bytes_)) == 0) {
    base = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  }
  if (base == MAP_FAILED) {
    const int error = errno;
    close(fd_);
    errno = error;
    ThrowErrno("no memory for a replay's report");
  }
  report_ = static_cast<ReplayReport*>(base);
  report_->in = in;
  report_->in.magic = kReportMagic;
}

WorkerReport::WorkerReport(WorkerReport&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      report_(std::exchange(other.report_, nullptr)) {}

WorkerReport::~WorkerReport() {
  if (report_ == nullptr) return;
  munmap(report_, bytes_);
  close(fd_);
}

WorkerReport RunWorker(const AllocatorSpec& spec, int ops_fd, ReplayIn in) {
  // "preloaded" is SystemHeap::kPreloaded; its header cannot be asked here, as
  // this program's malloc is another.
  const std::string settings =
      spec.library.empty() ? spec.settings : "preloaded";
  std::memset(in.settings, 0, sizeof(in.settings));
  std::memcpy(in.settings, settings.data(),
              std::min(settings.size(), sizeof(in.settings) - 1));
  WorkerReport report(in);
  const OwnedFd errors(memfd_create("replay stderr", MFD_CLOEXEC));
  const pid_t worker = Spawn(spec, ops_fd, report.fd(), errors.get(),
                             in.mode != ReplayMode::kTimed);
  int status = 0;
  while (waitpid(worker, &status, 0) < 0) {
    if (errno != EINTR) ThrowErrno("a replay worker was lost");
  }
  const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (ended_well && report->start.taken == 1) return report;

  std::string message = Subject(spec);
  if (ended_well) {
    // A worker that is preloaded into a program that does not let it in.
    message += spec.worker + " ran, and no replay worker in it";
  } else if (report->error[0] != '\0') {
    message += report->error;
  } else if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    message += "its replay worker was killed by signal " +
               std::to_string(signal) + " (" + strsignal(signal) +
               ") after at least " + std::to_string(report->events) +
               " requests; if other allocators replay this trace, the fault "
               "is this allocator's";
  } else {
    message += "its replay worker " + spec.worker + " ended with status " +
               std::to_string(WEXITSTATUS(status));
  }
  const std::string said = FirstLineOf(errors.get());
  if (!said.empty()) message += " (it said: " + said + ")";
  throw InputError(message);
}

}  // namespace arenalab
