// Seizes thread by thread until a look at the list of threads finds no new one.
#include "tools/inspect/process_stop.h"

#include <dirent.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<pid_t> ThreadsOf(int pid) {
  std::vector<pid_t> threads;
  DIR* const folder =
      opendir(("/proc/" + std::to_string(pid) + "/task").c_str());
  if (folder == nullptr) return threads;
  while (const dirent* entry = readdir(folder))
    if (const int id = std::atoi(entry->d_name); id > 0) threads.push_back(id);
  closedir(folder);
  return threads;
}

}  // namespace

ProcessStop::ProcessStop(int pid) : pid_(pid), begin_(Clock::now()) {
  // A thread that runs can start others until it is stopped itself.
  for (bool found = true; found;) {
    found = false;
    for (const pid_t id : ThreadsOf(pid)) {
      const bool known =
          std::any_of(threads_.begin(), threads_.end(),
                      [&](const Thread& thread) { return thread.id == id; });
      if (!known && Stop(id)) found = true;
    }
  }
  if (threads_.empty())
    throw InputError("process " + std::to_string(pid) +
                     ": ended before it could be stopped");
}

bool ProcessStop::Stop(pid_t thread) {
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
    if (errno == ESRCH) return false;  // it ended
    const std::string why = std::strerror(errno);
    GoOn();
    throw InputError("process " + std::to_string(pid_) +
                     ": cannot be stopped by ptrace (" + why +
                     "): is a debugger at it? `arenalab doctor` says who may");
  }
  ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
  int status = 0;
  pid_t got;
  do {
    got = waitpid(thread, &status, __WALL);
  } while (got < 0 && errno == EINTR);
  if (got < 0 || !WIFSTOPPED(status)) return false;
  const bool interrupted = status >> 16 == PTRACE_EVENT_STOP;
  threads_.push_back({thread, interrupted ? 0 : WSTOPSIG(status)});
  return true;
}

double ProcessStop::stopped_ms() const {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin_)
      .count();
}

double ProcessStop::GoOn() {
  for (const Thread& thread : threads_)
    ptrace(PTRACE_DETACH, thread.id, nullptr,
           reinterpret_cast<void*>(static_cast<long>(thread.signal)));
  threads_.clear();
  return stopped_ms();
}

}  // namespace arenalab
