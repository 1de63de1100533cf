// Holds all threads of a process for a moment.
//
// HOW. ptrace's SEIZE and INTERRUPT: no signal is sent, none is lost, a parent
// is told nothing, and a process that is stopped by other means stays so. A
// system call that sleeps is begun anew by the kernel when the threads go on;
// epoll_wait and a few others return EINTR instead (signal(7)), after which
// CPython 3.5 and later call them again. A debugger that is there already
// keeps us out.
//
// If this process dies, the kernel lets the threads go on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace arenalab {

class ProcessStop {
 public:
  // Throws InputError: it may not be traced, or is traced already.
  explicit ProcessStop(int pid);
  ~ProcessStop() { GoOn(); }
  ProcessStop(const ProcessStop&) = delete;
  ProcessStop& operator=(const ProcessStop&) = delete;

  // Lets it run. Returns how long it stood, in milliseconds.
  double GoOn();
  double stopped_ms() const;

 private:
  struct Thread {
    pid_t id;
    int signal;  // that was about to be delivered when it stopped
  };
  bool Stop(pid_t thread);

  int pid_;
  std::vector<Thread> threads_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace arenalab
