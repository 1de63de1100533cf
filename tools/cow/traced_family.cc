// The loop over what ptrace and wait say; contract in traced_family.h.
#include "tools/cow/traced_family.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "tools/cow/gc_hook.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kOptions = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                          PTRACE_O_TRACEEXIT;

// The process that a thread belongs to.
int ProcessOf(int thread) {
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Tgid:")) return std::atoi(line.c_str() + 5);
  return thread;
}

void Go(int thread, int signal) {
  ptrace(PTRACE_CONT, thread, nullptr,
         reinterpret_cast<void*>(static_cast<long>(signal)));
}

class Family {
 public:
  Family(double tick_seconds, FamilyWatcher* watcher)
      : tick_(tick_seconds), watcher_(*watcher) {}

  int Run(const std::vector<std::string>& command,
          const std::vector<std::string>& variables) {
    Start(command, variables);
    int result = 0;
    Clock::time_point last = Clock::now();
    for (;;) {
      int status;
      const int thread = waitpid(-1, &status, __WALL | WNOHANG);
      if (thread < 0) {
        if (errno == EINTR) continue;
        break;  // nobody is left
      }
      if (thread > 0) {
        if (WIFSTOPPED(status)) {
          Stopped(thread, status);
        } else if (thread == root_) {
          result =
              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (!Due(last)) continue;
      }
      if (Due(last)) {
        watcher_.Tick();
        last = Clock::now();
        continue;
      }
      Sleep(last);
    }
    return result;
  }

 private:
  bool Due(Clock::time_point last) const {
    return Clock::now() - last >= std::chrono::duration<double>(tick_);
  }

  // Until something is to be waited for, or the next tick.
  void Sleep(Clock::time_point last) const {
    const double rest =
        tick_ - std::chrono::duration<double>(Clock::now() - last).count();
    if (rest <= 0) return;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    timespec time;
    time.tv_sec = static_cast<time_t>(rest);
    time.tv_nsec =
        static_cast<long>((rest - static_cast<double>(time.tv_sec)) * 1e9);
    sigtimedwait(&child, nullptr, &time);
  }

  void Start(const std::vector<std::string>& command,
             const std::vector<std::string>& variables) {
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    int gate[2];
    if (pipe(gate) != 0)
      throw InputError(std::string("no pipe: ") + std::strerror(errno));
    root_ = fork();
    if (root_ == 0) {
      close(gate[1]);
      char byte;
      // Until this process is traced.
      if (read(gate[0], &byte, 1) != 1) _exit(125);
      close(gate[0]);
      sigprocmask(SIG_SETMASK, &before, nullptr);
      for (const std::string& variable : variables)
        putenv(const_cast<char*>(variable.c_str()));
      std::vector<char*> words;
      for (const std::string& word : command)
        words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      execvp(words[0], words.data());
      dprintf(STDERR_FILENO, "arenalab: %s: %s\n", words[0],
              std::strerror(errno));
      _exit(errno == ENOENT ? 127 : 126);
    }
    close(gate[0]);
    if (root_ < 0 || ptrace(PTRACE_SEIZE, root_, nullptr,
                            reinterpret_cast<void*>(kOptions)) != 0) {
      const std::string why = std::strerror(errno);
      close(gate[1]);
      if (root_ > 0) waitpid(root_, nullptr, 0);
      throw InputError("the program cannot be traced (" + why +
                       "); `arenalab doctor` says who may");
    }
    // The terminal's interrupt is the program's to answer.
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    if (write(gate[1], "x", 1) != 1) kill(root_, SIGKILL);
    close(gate[1]);
  }

  void Stopped(int thread, int status) {
    const int signal = WSTOPSIG(status);
    unsigned long message = 0;
    switch (status >> 16) {
      case 0:
        return Signalled(thread, signal);
      case PTRACE_EVENT_FORK:
        ptrace(PTRACE_GETEVENTMSG, thread, nullptr, &message);
        parents_[static_cast<int>(message)] = ProcessOf(thread);
        Greet(static_cast<int>(message));
        return Go(thread, 0);
      case PTRACE_EVENT_VFORK:  // shares all memory until it executes
      case PTRACE_EVENT_CLONE:  // a thread
        ptrace(PTRACE_GETEVENTMSG, thread, nullptr, &message);
        parents_[static_cast<int>(message)] = 0;
        Greet(static_cast<int>(message));
        return Go(thread, 0);
      case PTRACE_EVENT_EXEC:
        watcher_.Executed(thread);
        return Go(thread, 0);
      case PTRACE_EVENT_EXIT:
        if (ProcessOf(thread) == thread) watcher_.Ending(thread);
        return Go(thread, 0);
      case PTRACE_EVENT_STOP:
        if (signal == SIGTRAP) {  // a newcomer
          if (thread == root_) return Go(thread, 0);
          waiting_.insert(thread);
          return Greet(thread);
        }
        // Stopped as a group: it stays so until it is told to go on.
        ptrace(PTRACE_LISTEN, thread, nullptr, nullptr);
        return;
      default:
        Go(thread, 0);
    }
  }

  // A child goes on once both have been seen: its parent's event and its stop.
  void Greet(int child) {
    const auto parent = parents_.find(child);
    if (parent == parents_.end() || waiting_.count(child) == 0) return;
    if (parent->second != 0) watcher_.Forked(parent->second, child);
    waiting_.erase(child);
    parents_.erase(parent);
    Go(child, 0);
  }

  void Signalled(int thread, int signal) {
    siginfo_t info{};
    if ((signal == kCollectionBegins || signal == kCollectionEnds) &&
        ptrace(PTRACE_GETSIGINFO, thread, nullptr, &info) == 0) {
      const int process = ProcessOf(thread);
      if (info.si_code == SI_TKILL && info.si_pid == process) {
        watcher_.Collecting(process, signal == kCollectionBegins);
        return Go(thread, 0);
      }
    }
    Go(thread, signal);
  }

  const double tick_;
  FamilyWatcher& watcher_;
  int root_ = 0;
  std::map<int, int> parents_;  // of newcomers; 0: not forked
  std::set<int> waiting_;       // newcomers that stand still
};

}  // namespace

int RunFamily(const std::vector<std::string>& command,
              const std::vector<std::string>& variables, double tick_seconds,
              FamilyWatcher* watcher) {
  return Family(tick_seconds, watcher).Run(command, variables);
}

}  // namespace arenalab
