// Puts the readings of one target together.
#include "tools/inspect/inspection.h"

#include "allocators/pymalloc/debug_malloc_stats.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

void ReadHeaps(TargetMemory& memory, Inspection* inspection) {
  for (const AllocatorState& state : FindAllocatorStates(memory)) {
    const auto geometry = DecideGeometry(memory, state);
    if (!geometry) continue;
    inspection->heaps.push_back(
        ReadHeap(memory, state, *geometry, [](const LiveBlock&) {}));
  }
}

}  // namespace

Inspection InspectProcess(int pid) {
  LiveProcess process(pid);
  Inspection inspection;
  inspection.target = "process " + std::to_string(pid);
  ReadHeaps(process, &inspection);
  process.CheckAlive();
  if (inspection.heaps.empty())
    throw InputError(inspection.target +
                     ": has no pymalloc heap (not a Python process, or one "
                     "that runs on another allocator)");
  return inspection;
}

std::string DebugMallocStatsText(const Inspection& inspection) {
  std::string text;
  for (const HeapReading& heap : inspection.heaps) {
    if (!text.empty()) text += '\n';
    text += FormatDebugMallocStats(heap.statistics, heap.geometry, heap.policy);
  }
  return text;
}

}  // namespace arenalab
