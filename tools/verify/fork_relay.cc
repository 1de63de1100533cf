// See fork_relay.h. On the pipe: file, zero byte, text, zero byte, and so on.
#include "tools/verify/fork_relay.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace arenalab {

bool ForkRelay::Split() {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category());
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category());
  if (child == 0) {
    close(ends[0]);
    if (to_parent_ >= 0) close(to_parent_);
    to_parent_ = ends[1];
    told_.clear();
    return true;
  }
  close(ends[1]);
  Hear(ends[0]);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return false;
}

void ForkRelay::Tell(const std::string& file, const std::string& text) {
  told_[file] = text;
}

void ForkRelay::End() {
  std::string all;
  for (const auto& [file, text] : told_) {
    all += file + '\0' + text + '\0';
  }
  for (std::string_view rest = all; !rest.empty();) {
    const ssize_t written = write(to_parent_, rest.data(), rest.size());
    if (written < 0) _exit(1);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  // Not exit(): what stands in the buffers of stdout is the parent's to print.
  _exit(0);
}

void ForkRelay::Hear(int pipe) {
  std::string all;
  char piece[4096];
  for (ssize_t n; (n = read(pipe, piece, sizeof(piece))) > 0;) {
    all.append(piece, static_cast<std::size_t>(n));
  }
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t middle = all.find('\0', at);
    const std::size_t end =
        middle == all.npos ? middle : all.find('\0', middle + 1);
    if (end == all.npos) return;  // cut off: its writer died
    told_[all.substr(at, middle - at)] =
        all.substr(middle + 1, end - middle - 1);
    at = end + 1;
  }
}

}  // namespace arenalab
