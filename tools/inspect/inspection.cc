// Puts the readings of one target together.
#include "tools/inspect/inspection.h"

#include "allocators/pymalloc/debug_malloc_stats.h"
#include "tools/inspect/live_process.h"
#include "tracer/format/input_error.h"

namespace arenalab {

Inspection InspectProcess(int pid, const BlockVisitor& visit) {
  LiveProcess process(pid);
  Inspection inspection;
  inspection.target = "process " + std::to_string(pid);
  ObjectTypes types(process);
  std::vector<HeapReading> readings;
  for (const AllocatorState& state : FindAllocatorStates(process)) {
    const auto geometry = DecideGeometry(process, state);
    if (!geometry) continue;
    BlockCensus census;
    readings.push_back(
        ReadHeap(process, state, *geometry, [&](const LiveBlock& block) {
          const HeldObject held =
              types.Identify(block.bytes, block.block_bytes);
          census.Add(block, held);
          if (visit) visit(block, held);
        }));
    inspection.heaps.push_back(
        {readings.back(), census.Finish(readings.back().arenas)});
  }
  process.CheckAlive();
  if (inspection.heaps.empty())
    throw InputError(inspection.target +
                     ": has no pymalloc heap (not a Python process, or one "
                     "that runs on another allocator)");
  inspection.whose = TellWhoseMemory(process, process.totals(), readings);
  process.CheckAlive();
  return inspection;
}

std::string DebugMallocStatsText(const Inspection& inspection) {
  std::string text;
  for (const HeapInspection& heap : inspection.heaps) {
    if (!text.empty()) text += '\n';
    text += FormatDebugMallocStats(heap.reading.statistics,
                                   heap.reading.geometry, heap.reading.policy);
  }
  return text;
}

}  // namespace arenalab
