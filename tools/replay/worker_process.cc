// Starting and ending a worker; contract in worker_process.h.
#include "tools/replay/worker_process.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "tools/replay/worker_spawn.h"
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

}  // namespace

WorkerReport::WorkerReport(const ReplayIn& in)
    : fd_(memfd_create("replay report", MFD_CLOEXEC)),
      bytes_(sizeof(ReplayReport) + in.samples * sizeof(ReplaySample) +
             in.addresses * sizeof(std::uint64_t)) {
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
  const std::string settings = WorkerSettings(spec);
  std::memset(in.settings, 0, sizeof(in.settings));
  std::memcpy(in.settings, settings.data(),
              std::min(settings.size(), sizeof(in.settings) - 1));
  WorkerReport report(in);
  const OwnedFd errors(memfd_create("replay stderr", MFD_CLOEXEC));
  const pid_t worker =
      StartWorker(spec, {.program = spec.worker,
                         .arguments = {},
                         .fds = {ops_fd, report.fd()},
                         .stderr_fd = errors.get(),
                         .fixed_layout = in.mode == ReplayMode::kMemory ||
                                         in.mode == ReplayMode::kCheck});
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
