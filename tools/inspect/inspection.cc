// Puts the readings of one target together.
#include "tools/inspect/inspection.h"

#include "allocators/pymalloc/debug_malloc_stats.h"
#include "tools/inspect/core_file.h"
#include "tools/inspect/live_process.h"
#include "tracer/format/input_error.h"

namespace arenalab {

namespace {

// Fills `inspection`'s heaps; what was read of each, for the other rows.
std::vector<HeapReading> ReadHeaps(TargetMemory& memory,
                                   const BlockVisitor& visit,
                                   Inspection* inspection) {
  ObjectTypes types(memory);
  std::vector<HeapReading> readings;
  for (const AllocatorState& state : FindAllocatorStates(memory)) {
    const auto geometry = DecideGeometry(memory, state);
    if (!geometry) continue;
    BlockCensus census;
    readings.push_back(
        ReadHeap(memory, state, *geometry, [&](const LiveBlock& block) {
          const HeldObject held =
              types.Identify(block.bytes, block.block_bytes);
          census.Add(block, held);
          if (visit) visit(block, held);
        }));
    inspection->heaps.push_back(
        {readings.back(), census.Finish(readings.back().arenas)});
  }
  return readings;
}

void RefuseIfNone(const Inspection& inspection) {
  if (inspection.heaps.empty())
    throw InputError(inspection.target +
                     ": has no pymalloc heap (not a Python process, or one "
                     "that runs on another allocator)");
}

}  // namespace

Inspection InspectProcess(int pid, const BlockVisitor& visit) {
  LiveProcess process(pid);
  Inspection inspection;
  inspection.target = "process " + std::to_string(pid);
  const std::vector<HeapReading> readings =
      ReadHeaps(process, visit, &inspection);
  process.CheckAlive();
  RefuseIfNone(inspection);
  inspection.whose = TellWhoseMemory(process, process.totals(), readings);
  process.CheckAlive();
  return inspection;
}

Inspection InspectCore(const std::string& path, const BlockVisitor& visit) {
  CoreFile core(path);
  Inspection inspection;
  inspection.target = "core " + path;
  ReadHeaps(core, visit, &inspection);
  RefuseIfNone(inspection);
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
