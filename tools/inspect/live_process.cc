// System calls that read another process; contract in live_process.h.
#include "tools/inspect/live_process.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

std::string Folder(int pid) { return "/proc/" + std::to_string(pid); }

[[noreturn]] void Refuse(int pid, int error) {
  const std::string who = "process " + std::to_string(pid) + ": ";
  if (error == ENOENT || error == ESRCH)
    throw InputError(who + "there is no such process");
  if (error != EACCES && error != EPERM)
    throw InputError(who +
                     "its memory cannot be read: " + std::strerror(error));
  std::string scope;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  throw InputError(
      who + "its memory may not be read; " +
      (scope.empty() || scope == "0"
           ? "run this as the same user or as root"
           : "kernel.yama.ptrace_scope is " + scope +
                 ": run this as root, or set it to 0 for the moment"));
}

}  // namespace

LiveProcess::LiveProcess(int pid) : pid_(pid) {
  memory_fd_ = open((Folder(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory_fd_ < 0) Refuse(pid, errno);
  pagemap_fd_ = open((Folder(pid) + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  const auto rollup = ParseSmaps(ReadProcFile("smaps_rollup"));
  mappings_ = ParseSmaps(ReadProcFile("smaps"));
  totals_ = rollup.empty() ? TotalsOf(mappings_) : TotalsOf(rollup);
  if (mappings_.empty()) {
    // A kernel thread has no memory either.
    close(memory_fd_);
    if (pagemap_fd_ >= 0) close(pagemap_fd_);
    throw InputError("process " + std::to_string(pid) +
                     ": has no memory of its own (it ended, or is part of the "
                     "kernel)");
  }
}

LiveProcess::~LiveProcess() {
  close(memory_fd_);
  if (pagemap_fd_ >= 0) close(pagemap_fd_);
}

std::string LiveProcess::ReadProcFile(const char* name) const {
  std::ifstream file(Folder(pid_) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void LiveProcess::CheckAlive() const {
  if (ReadProcFile("smaps_rollup").empty() && ReadProcFile("maps").empty())
    throw InputError("process " + std::to_string(pid_) +
                     ": ended while it was being read");
}

std::size_t LiveProcess::Read(std::uint64_t address, void* out,
                              std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    iovec here = {static_cast<char*>(out) + done, bytes - done};
    iovec there = {reinterpret_cast<void*>(address + done), bytes - done};
    ssize_t n = process_vm_readv(pid_, &here, 1, &there, 1, 0);
    if (n <= 0)  // forbidden in some containers, where the file is not
      n = pread(memory_fd_, here.iov_base, here.iov_len,
                static_cast<off_t>(address + done));
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::vector<PageState> LiveProcess::Pages(std::uint64_t begin,
                                          std::uint64_t end) {
  const std::size_t count = (end - begin) / kPageBytes;
  std::vector<PageState> pages(count, PageState::kPresent);
  if (pagemap_fd_ < 0) return pages;
  std::vector<std::uint64_t> entries(count);
  const ssize_t n =
      pread(pagemap_fd_, entries.data(), count * sizeof(std::uint64_t),
            static_cast<off_t>(begin / kPageBytes * sizeof(std::uint64_t)));
  const std::size_t known = n <= 0 ? 0 : static_cast<std::size_t>(n) / 8;
  for (std::size_t i = 0; i < known; ++i)
    pages[i] = entries[i] >> 63 & 1   ? PageState::kPresent
               : entries[i] >> 62 & 1 ? PageState::kSwapped
                                      : PageState::kAbsent;
  return pages;
}

}  // namespace arenalab
