// Environment, descriptors and layout of a started worker; contract in
// worker_spawn.h.
#include "tools/replay/worker_spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/personality.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <string_view>
#include <system_error>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// A descriptor that is closed at the end of its scope.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {
    if (fd < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "no descriptor for a replay worker");
    }
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

// While it lives, programs started from this thread get the same address-space
// layout every time: where an arena's base falls decides how many pools it has.
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

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Descriptors below this are the worker's own.
constexpr int kAboveProtocol = 16;
constexpr int kFirstOfProtocol = 3;

}  // namespace

pid_t StartWorker(const AllocatorSpec& spec, const WorkerStart& start) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  std::list<OwnedFd> copies;
  const auto add = [&](int from, int to) {
    if (from < 0) return;
    // First up and out of the way, so that no dup2 overwrites a later source.
    copies.emplace_back(fcntl(from, F_DUPFD_CLOEXEC, kAboveProtocol));
    posix_spawn_file_actions_adddup2(&actions, copies.back().get(), to);
  };
  add(start.stdout_fd, STDOUT_FILENO);
  add(start.stderr_fd, STDERR_FILENO);
  int number = kFirstOfProtocol;
  for (const int fd : start.fds) add(fd, number++);

  std::vector<std::string> environment = WorkerEnvironment(spec);
  std::vector<std::string> words = start.arguments;
  words.insert(words.begin(), start.program);
  pid_t worker = 0;
  const FixedLayout layout(start.fixed_layout);
  const int error =
      posix_spawn(&worker, start.program.c_str(), &actions, nullptr,
                  Pointers(words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw InputError("allocator '" + spec.spelled + "': its program " +
                     start.program +
                     " cannot be started: " + std::strerror(error));
  }
  return worker;
}

std::string WorkerSettings(const AllocatorSpec& spec) {
  // "preloaded" is SystemHeap::kPreloaded; its header cannot be asked here, as
  // this program's malloc is another.
  return spec.library.empty() ? spec.settings : "preloaded";
}

}  // namespace arenalab
