// A breakpoint at the entry; contract in frontier.h. x86-64 Linux.
#include "tools/exec/frontier.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tools/exec/measured_run.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kMultiple = std::uint64_t{2} << 20;
// The kernel maps downwards from below the stack; programs, heaps and the
// preloaded libraries lie far lower.
constexpr std::uint64_t kMappedAbove = std::uint64_t{0x7f} << 40;

std::uint64_t EntryOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/auxv",
                     std::ios::binary);
  Elf64_auxv_t entry;
  while (file.read(reinterpret_cast<char*>(&entry), sizeof(entry))) {
    if (entry.a_type == AT_ENTRY) return entry.a_un.a_val;
  }
  return 0;
}

std::optional<std::uint64_t> LowestMapping(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/maps");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::uint64_t begin = 0;
    words >> std::hex >> begin;
    if (begin >= kMappedAbove) return begin;
  }
  return std::nullopt;
}

bool StopsAt(pid_t process, int signal) {
  int status = 0;
  return waitpid(process, &status, 0) == process && WIFSTOPPED(status) &&
         WSTOPSIG(status) == signal;
}

std::optional<std::uint64_t> FrontierOf(pid_t process) {
  // Behind exec.
  if (!StopsAt(process, SIGTRAP)) return std::nullopt;
  const std::uint64_t entry = EntryOf(process);
  constexpr long kBreakpoint = 0xcc;
  if (entry == 0 || ptrace(PTRACE_POKETEXT, process, entry, kBreakpoint) != 0 ||
      ptrace(PTRACE_CONT, process, nullptr, nullptr) != 0 ||
      !StopsAt(process, SIGTRAP)) {
    return std::nullopt;
  }
  return LowestMapping(process);
}

}  // namespace

std::optional<std::uint64_t> MappingFrontier(
    const Arm& arm, const std::vector<std::string>& command) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    // What an allocator refuses is told by the real run.
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    _exit(BecomeProgram(arm, command));
  }
  const auto frontier = FrontierOf(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return frontier;
}

std::string ShiftFor(const Arm& arm, const std::vector<std::string>& command) {
  if ((personality(0xffffffff) & ADDR_NO_RANDOMIZE) == 0) return "";
  const auto native = MappingFrontier({"native", {}, ""}, command);
  const auto ours = MappingFrontier(arm, command);
  if (!native || !ours) return "";
  const std::uint64_t bytes = (*ours - *native) % kMultiple;
  if (bytes == 0) return "";
  char text[64];
  std::snprintf(text, sizeof(text), "%llu@%llx",
                static_cast<unsigned long long>(bytes),
                static_cast<unsigned long long>(*ours));
  return text;
}

}  // namespace arenalab
