// See traced_command.h.
#include "tracer/collector/traced_command.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace arenalab {
namespace {

constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

// What the signal handler needs.
volatile pid_t command_process = 0;
volatile sig_atomic_t command_ended = 0;
volatile sig_atomic_t stop_waiting = 0;

// Its end may not have been noticed: writing the trace can take long, or for
// ever where nobody reads it.
bool CommandHasEnded() {
  siginfo_t ended = {};
  return command_ended != 0 ||
         (command_process > 0 &&
          waitid(P_PID, static_cast<id_t>(command_process), &ended,
                 WEXITED | WNOHANG | WNOWAIT) == 0 &&
          ended.si_pid != 0);
}

void PassOn(int signal, siginfo_t* info, void*) {
  const int error = errno;  // of whatever this interrupts
  if (stop_waiting != 0) {
    // Asked again: what it would have been without a handler.
    ::signal(signal, SIG_DFL);
    raise(signal);
  } else if (CommandHasEnded()) {
    stop_waiting = 1;
  } else if (info->si_code <= 0 && command_process > 0) {
    // From a process; the terminal's own go to its whole foreground group.
    kill(command_process, signal);
  }
  errno = error;
}

void Handle(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  for (const int signal : kSignals) {
    struct sigaction before;
    sigaction(signal, nullptr, &before);
    // nohup's choice stays.
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

[[noreturn]] void Start(const TracedCommand& command,
                        const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  // Behind a preload that is there already, which may replace malloc and shall
  // still be asked first.
  std::string preload = command.preload;
  if (const char* before = std::getenv("LD_PRELOAD");
      before != nullptr && *before != 0) {
    preload = std::string(before) + ":" + preload;
  }
  setenv("LD_PRELOAD", preload.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command.words) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  execvp(words[0], words.data());
  const int error = errno;
  std::fprintf(stderr, "arenalab: %s: %s\n", words[0], std::strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

int StatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                  : WEXITSTATUS(wait_status);
}

}  // namespace

int RunTraced(const TracedCommand& command, Collector* collector) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto variables = collector->Environment();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) Start(command, variables);
  if (child < 0) {
    std::fprintf(stderr, "arenalab: cannot start a process: %s\n",
                 std::strerror(errno));
    return 126;
  }
  command_process = child;
  Handle(PassOn);

  int status = 126;
  bool said = false;
  while (stop_waiting == 0) {
    int wait_status;
    const pid_t ended = waitpid(-1, &wait_status, WNOHANG);
    if (ended < 0 && errno == ECHILD) break;
    if (ended == child) {
      status = StatusOf(wait_status);
      command_ended = 1;
    }
    if (ended > 0) continue;
    if (command_ended != 0 && !said) {
      said = true;
      std::fprintf(stderr,
                   "arenalab: the command has ended, processes that it started "
                   "still run; waiting for them (Ctrl-C stops waiting)\n");
    }
    collector->Round();
  }
  collector->Finish();
  return status;
}

}  // namespace arenalab
