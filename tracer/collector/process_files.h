// What the kernel tells of a process under /proc, and whether it still lives.
// Nothing here fails: what cannot be read is empty or nullopt.
//
// SOURCE: proc(5), pidfd_open(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arenalab {

// The words of a command as /proc/PID/cmdline has them, each ended by a NUL:
// shell-quoted, so that the line can be pasted.
std::string PastableCommand(std::string_view words);

// smaps_rollup, in bytes: exact, unlike statm.
struct ProcessMemory {
  std::uint64_t resident = 0;  // Rss
  // Pss: a page that n processes have counts as 1/n of a page in each, so that
  // the sum over processes is what they use together.
  std::uint64_t share = 0;
  std::uint64_t shared_memory = 0;  // Pss_Shmem, a part of share
  std::uint64_t own = 0;            // Private_Clean + Private_Dirty
};
std::optional<ProcessMemory> MemoryOf(pid_t process);
bool ThreadExists(pid_t process, pid_t thread);

// A process that was alive when this was made, told apart from a later one of
// the same number. Where the kernel has no pidfd_open it is never seen to end.
class ProcessHandle {
 public:
  explicit ProcessHandle(pid_t process);
  ~ProcessHandle();
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;

  bool HasEnded() const;
  // To be polled: readable when the process has ended. Negative: cannot tell.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  bool gone_ = false;
};

}  // namespace arenalab
