// System calls that read another process; contract in live_process.h.
#include "tools/inspect/live_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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
  // Not smaps: it looks at every page. A process that ended has no maps.
  if (ReadProcFile("maps").empty())
    throw InputError("process " + std::to_string(pid_) +
                     ": ended while it was being read");
}

// Not process_vm_readv: since Linux 5.19 it pins what it reads, and a page that
// forked processes share is copied before it is pinned. Three workers of 24 MiB
// (Pss) had 92 MiB each once they had been read.
std::size_t LiveProcess::ReadMapped(std::uint64_t address, void* out,
                                    std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pread(memory_fd_, static_cast<char*>(out) + done,
                            bytes - done, static_cast<off_t>(address + done));
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::size_t LiveProcess::Read(std::uint64_t address, void* out,
                              std::size_t bytes) {
  const Mapping* mapping = Find(address);
  if (mapping == nullptr || mapping->is_file())
    return ReadMapped(address, out, bytes);
  char* const to = static_cast<char*>(out);
  std::size_t done = 0;
  // Page states of a few pages at a time; a run that has content in one call.
  while (done < bytes) {
    const std::uint64_t at = address + done;
    const std::uint64_t begin = at & ~(kPageBytes - 1);
    const std::uint64_t end =
        (address + bytes + kPageBytes - 1) & ~(kPageBytes - 1);
    const std::vector<PageState> pages = Pages(begin, end);
    const bool absent = pages.front() == PageState::kAbsent;
    std::size_t same = 1;
    while (same < pages.size() && (pages[same] == PageState::kAbsent) == absent)
      ++same;
    const std::size_t piece = std::min(
        bytes - done, static_cast<std::size_t>(begin + same * kPageBytes - at));
    if (absent) {
      if (Find(at) == nullptr) break;
      std::memset(to + done, 0, piece);
    } else if (ReadMapped(at, to + done, piece) != piece) {
      break;
    }
    done += piece;
  }
  return done;
}

// The page of zeros that the kernel maps for all that was only ever read.
bool LiveProcess::IsZeros(std::uint64_t page) {
  static constexpr char kZeros[kPageBytes] = {};
  char bytes[kPageBytes];
  return ReadMapped(page, bytes, sizeof(bytes)) == sizeof(bytes) &&
         std::memcmp(bytes, kZeros, sizeof(bytes)) == 0;
}

std::vector<PageState> LiveProcess::Pages(std::uint64_t begin,
                                          std::uint64_t end) {
  constexpr std::uint64_t kPresent = 1ull << 63, kSwapped = 1ull << 62;
  constexpr std::uint64_t kOfFile = 1ull << 61, kExclusive = 1ull << 56;
  const std::size_t count = (end - begin) / kPageBytes;
  std::vector<PageState> pages(count, PageState::kPresent);
  if (pagemap_fd_ < 0) return pages;
  std::vector<std::uint64_t> entries(count);
  const ssize_t n =
      pread(pagemap_fd_, entries.data(), count * sizeof(std::uint64_t),
            static_cast<off_t>(begin / kPageBytes * sizeof(std::uint64_t)));
  const std::size_t known = n <= 0 ? 0 : static_cast<std::size_t>(n) / 8;
  for (std::size_t i = 0; i < known; ++i) {
    if ((entries[i] & kPresent) == 0) {
      pages[i] = (entries[i] & kSwapped) != 0 ? PageState::kSwapped
                                              : PageState::kAbsent;
    } else if ((entries[i] & (kOfFile | kExclusive)) == 0 &&
               IsZeros(begin + i * kPageBytes)) {
      pages[i] = PageState::kAbsent;
    }
  }
  return pages;
}

}  // namespace arenalab
