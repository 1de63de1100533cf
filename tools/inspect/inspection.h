// Everything that `arenalab inspect` finds out about one target.
//
// Errors: InputError if the target is no Python process (nothing in it is
// pymalloc's), or it ended meanwhile.
#pragma once

#include <string>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/live_process.h"

namespace arenalab {

struct Inspection {
  std::string target;              // "process 4711"
  std::vector<HeapReading> heaps;  // one an allocator state, the main one first
};

Inspection InspectProcess(int pid);

// The pymalloc part of sys._debugmallocstats(), for each heap.
std::string DebugMallocStatsText(const Inspection& inspection);

}  // namespace arenalab
