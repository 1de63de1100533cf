// The most that this process had resident since a moment, by the kernel's own
// account: VmHWM of /proc/self/status, which writing 5 to /proc/self/clear_refs
// sets back to the present value (proc(5), since Linux 4.0).
//
// Not getrusage's ru_maxrss: that is inherited across exec.
//
// Linked into workers. Any thread.
#pragma once

#include <cstdint>

#include "tools/replay/worker_rss.h"

namespace arenalab {

struct ResidentPeak {
  std::int64_t anonymous_bytes = -1;
  std::int64_t resident_bytes = -1;  // VmRSS; -1: it cannot be told
};

ResidentPeak StartResidentPeak();
// VmHWM now less VmRSS then; -1 where the kernel does not tell.
std::int64_t PeakGrowth(const ResidentPeak& start);

}  // namespace arenalab
