// A running process, read through /proc/PID/mem. It is not stopped and gets no
// signal.
//
// WHO MAY. The process's own user or root, as far as the kernel's
// ptrace_scope lets them.
#pragma once

#include <string>

#include "tools/inspect/target_memory.h"

namespace arenalab {

class LiveProcess : public TargetMemory {
 public:
  // Throws InputError: there is no such process, it may not be read, or it
  // ended meanwhile.
  explicit LiveProcess(int pid);
  ~LiveProcess() override;

  std::size_t Read(std::uint64_t address, void* out,
                   std::size_t bytes) override;
  std::size_t ReadPresent(std::uint64_t address, void* out,
                          std::size_t bytes) override {
    return ReadMapped(address, out, bytes);
  }
  std::vector<PageState> Pages(std::uint64_t begin, std::uint64_t end) override;

  // smaps_rollup, read directly before or after the mappings.
  const MemoryTotals& totals() const { return totals_; }

  // Throws InputError if the process ended since; what was read of it then is
  // not to be believed.
  void CheckAlive() const;

 private:
  std::size_t ReadMapped(std::uint64_t address, void* out, std::size_t bytes);
  bool IsZeros(std::uint64_t page);
  std::string ReadProcFile(const char* name) const;

  int pid_;
  int memory_fd_ = -1;
  int pagemap_fd_ = -1;
  MemoryTotals totals_;
};

}  // namespace arenalab
