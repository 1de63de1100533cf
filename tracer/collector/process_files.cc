// See process_files.h.
#include "tracer/collector/process_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace arenalab {
namespace {

// As much of a file as there is: the process may end while we read, which is an
// error of read() that a stream's buffer would throw.
std::string ReadAll(const std::string& path) {
  std::string text;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char piece[4096];
  for (ssize_t n; (n = read(file, piece, sizeof(piece))) > 0;) {
    text.append(piece, static_cast<std::size_t>(n));
  }
  close(file);
  return text;
}

std::string Path(pid_t process, const char* file) {
  return "/proc/" + std::to_string(process) + "/" + file;
}

std::string Quoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c == '\n' ? ' ' : c;  // one line of metadata
    }
  }
  return quoted + "'";
}

}  // namespace

std::string PastableCommand(std::string_view words) {
  std::string line;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find('\0', begin), words.size());
    if (!line.empty()) line += ' ';
    line += Quoted(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return line;
}

std::optional<ProcessMemory> MemoryOf(pid_t process) {
  const std::string text = ReadAll(Path(process, "smaps_rollup"));
  if (text.find("\nRss:") == text.npos) return std::nullopt;
  // Kernels before 5.4 lack some: 0.
  const auto line = [&text](std::string_view name) -> std::uint64_t {
    const std::size_t at = text.find(name);
    if (at == text.npos) return 0;
    return std::strtoull(text.c_str() + at + name.size(), nullptr, 10) * 1024;
  };
  return ProcessMemory{
      .resident = line("\nRss:"),
      .share = line("\nPss:"),
      .shared_memory = line("\nPss_Shmem:"),
      .own = line("\nPrivate_Clean:") + line("\nPrivate_Dirty:")};
}

bool ThreadExists(pid_t process, pid_t thread) {
  const std::string path = Path(process, "task/") + std::to_string(thread);
  return access(path.c_str(), F_OK) == 0;
}

ProcessHandle::ProcessHandle(pid_t process) {
  descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  gone_ = descriptor_ < 0 && errno == ESRCH;
}

ProcessHandle::~ProcessHandle() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool ProcessHandle::HasEnded() const {
  if (descriptor_ < 0) return gone_;
  pollfd poll_for = {descriptor_, POLLIN, 0};
  return poll(&poll_for, 1, 0) > 0;
}

}  // namespace arenalab
