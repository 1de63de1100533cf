// Workers with threads, started and collected; contract in thread_process.h.
#include "tools/threads/thread_process.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "tools/replay/worker_spawn.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::string_view kReplayWorker = "replay_worker_";

// thread_worker_NAME stands beside replay_worker_NAME.
std::string ThreadWorkerOf(const AllocatorSpec& spec) {
  std::string path = spec.worker;
  const std::size_t at = path.rfind(kReplayWorker);
  if (at == std::string::npos) {
    throw InputError("allocator '" + spec.spelled +
                     "': it cannot be called from several threads here");
  }
  return path.replace(at, kReplayWorker.size(), "thread_worker_");
}

// A worker's report, and the worker.
class Worker {
 public:
  Worker(const AllocatorSpec& spec, const ThreadStreams& program,
         const ThreadRunOptions& options)
      : spec_(spec),
        streams_(options.copies != 0 ? options.copies
                                     : program.streams().size()),
        moments_(program.moments()),
        fd_(memfd_create("thread report", MFD_CLOEXEC)) {
    bytes_ = sizeof(ThreadReport) + streams_ * sizeof(StreamReport) +
             moments_ * sizeof(MomentSample);
    void* base = MAP_FAILED;
    if (fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(bytes_)) == 0) {
      base = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    }
    if (base == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(),
                              "no memory for a run's report");
    }
    report_ = static_cast<ThreadReport*>(base);
    ThreadIn& in = report_->in;
    in.magic = kThreadMagic;
    in.copies = options.copies;
    in.heap_each = options.heap_each;
    in.serves = options.serves;
    in.mode = options.mode;
    in.touch = options.touch;
    in.lock = options.lock;
    in.rendezvous = options.processes > 1;
    const std::string settings = WorkerSettings(spec);
    std::memcpy(in.settings, settings.data(),
                std::min(settings.size(), sizeof(in.settings) - 1));
    pid_ =
        StartWorker(spec, {.program = ThreadWorkerOf(spec),
                           .arguments = {},
                           .fds = {program.fd(), fd_},
                           .fixed_layout = options.mode != ThreadMode::kTimed});
  }
  ~Worker() {
    if (pid_ > 0) {  // left behind by an exception
      report_->go.store(1);
      waitpid(pid_, nullptr, 0);
    }
    munmap(report_, bytes_);
    close(fd_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // True once it waits for `go`, or has ended.
  bool Ready() {
    if (report_->ready.load(std::memory_order_acquire) != 0) return true;
    siginfo_t ended{};
    return waitid(P_PID, static_cast<id_t>(pid_), &ended,
                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == pid_;
  }
  void Go() { report_->go.store(1, std::memory_order_release); }

  void Collect(ThreadOutcome* outcome) {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      std::string message = "allocator '" + spec_.spelled + "': ";
      if (report_->error[0] != '\0') {
        message += report_->error;
      } else if (WIFSIGNALED(status)) {
        message += "its worker with threads was killed by signal " +
                   std::to_string(WTERMSIG(status)) + " (" +
                   strsignal(WTERMSIG(status)) + ")";
      } else {
        message += "its worker with threads ended with status " +
                   std::to_string(WEXITSTATUS(status));
      }
      throw InputError(message);
    }
    outcome->not_applicable = report_->not_applicable;
    outcome->version = report_->version;
    const auto* streams = reinterpret_cast<const StreamReport*>(report_ + 1);
    outcome->streams.insert(outcome->streams.end(), streams,
                            streams + streams_);
    if (outcome->moments.empty()) {
      const auto* moments =
          reinterpret_cast<const MomentSample*>(streams + streams_);
      outcome->moments.assign(moments, moments + moments_);
    }
    outcome->start_anonymous_bytes += report_->start_anonymous_bytes;
    outcome->end_anonymous_bytes += report_->end_anonymous_bytes;
    if (report_->peak_growth_bytes < 0) {
      outcome->peak_growth_bytes = -1;
    } else if (outcome->peak_growth_bytes >= 0) {
      outcome->peak_growth_bytes += report_->peak_growth_bytes;
    }
  }

 private:
  const AllocatorSpec& spec_;
  std::size_t streams_;
  std::size_t moments_;
  int fd_;
  std::size_t bytes_ = 0;
  ThreadReport* report_ = nullptr;
  pid_t pid_ = -1;
};

}  // namespace

std::uint64_t ThreadOutcome::events() const {
  std::uint64_t sum = 0;
  for (const StreamReport& stream : streams) sum += stream.events;
  return sum;
}

std::uint64_t ThreadOutcome::failed() const {
  std::uint64_t sum = 0;
  for (const StreamReport& stream : streams) sum += stream.failed;
  return sum;
}

std::uint64_t ThreadOutcome::corrupted() const {
  std::uint64_t sum = 0;
  for (const StreamReport& stream : streams) sum += stream.corrupted;
  return sum;
}

std::uint64_t ThreadOutcome::overlaps() const {
  std::uint64_t sum = 0;
  for (const MomentSample& moment : moments) sum += moment.overlaps;
  return sum;
}

std::uint64_t ThreadOutcome::wall_ns() const {
  std::uint64_t start = ~std::uint64_t{0};
  std::uint64_t end = 0;
  for (const StreamReport& stream : streams) {
    start = std::min(start, stream.start_ns);
    end = std::max(end, stream.end_ns);
  }
  return end > start ? end - start : 1;
}

double ThreadOutcome::requests_per_second() const {
  return static_cast<double>(events()) * 1e9 / static_cast<double>(wall_ns());
}

double ThreadOutcome::waiting_share() const {
  double waited = 0;
  double ran = 0;
  for (const StreamReport& stream : streams) {
    waited += static_cast<double>(stream.wait_ns);
    ran += static_cast<double>(stream.end_ns - stream.start_ns);
  }
  return ran > 0 ? waited / ran : 0;
}

ThreadOutcome RunThreads(const AllocatorSpec& spec,
                         const ThreadStreams& program,
                         const ThreadRunOptions& options) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t i = 0; i < options.processes; ++i) {
    workers.push_back(std::make_unique<Worker>(spec, program, options));
  }
  for (const auto& worker : workers) {
    while (options.processes > 1 && !worker->Ready()) usleep(200);
  }
  for (const auto& worker : workers) worker->Go();
  ThreadOutcome outcome;
  for (const auto& worker : workers) worker->Collect(&outcome);
  return outcome;
}

}  // namespace arenalab
