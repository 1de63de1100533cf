// Puts the readings of one target together.
#include "tools/inspect/inspection.h"

#include <optional>

#include "allocators/pymalloc/debug_malloc_stats.h"
#include "tools/inspect/block_map.h"
#include "tools/inspect/copied_memory.h"
#include "tools/inspect/core_file.h"
#include "tools/inspect/header_search.h"
#include "tools/inspect/heap_generation.h"
#include "tools/inspect/heap_imaging.h"
#include "tools/inspect/live_process.h"
#include "tools/inspect/process_stop.h"
#include "tools/inspect/snapshot.h"
#include "tracer/format/input_error.h"

namespace arenalab {

namespace {

std::vector<FoundHeap> FindHeaps(TargetMemory& memory, bool by_headers) {
  std::vector<FoundHeap> heaps;
  if (!by_headers) {
    for (AllocatorState& state : FindAllocatorStates(memory))
      if (const auto geometry = DecideGeometry(memory, state))
        heaps.push_back({std::move(state), *geometry});
  }
  // A build whose records lie as in no known one.
  if (heaps.empty())
    if (auto found = SearchHeaders(memory))
      heaps.push_back({std::move(found->state), found->geometry});
  return heaps;
}

// Fills `inspection`'s heaps; what was read of each, for the other rows.
std::vector<HeapReading> ReadHeaps(TargetMemory& memory,
                                   const std::vector<FoundHeap>& heaps,
                                   ObjectTypes& types,
                                   const BlockVisitor& visit,
                                   Inspection* inspection) {
  std::vector<HeapReading> readings;
  for (const FoundHeap& found : heaps) {
    BlockMap blocks(found.geometry, found.state.arenas);
    readings.push_back(ReadHeap(
        memory, found.state, found.geometry,
        [&](const LiveBlock& block) {
          blocks.Add(block, types.Identify(block.bytes, block.block_bytes));
        },
        [&] { blocks.FollowArena(); }));
    AllocatorState again = found.state;
    again.arenas.clear();
    for (std::size_t i = 0; i < found.state.arenas.size(); ++i)
      if (blocks.MustReadAgain()[i])
        again.arenas.push_back(found.state.arenas[i]);
    if (!again.arenas.empty())
      ReadHeap(memory, again, found.geometry,
               [&](const LiveBlock& block) { blocks.Follow(block); });
    BlockCensus census;
    blocks.Visit([&](const LiveBlock& block, const HeldObject& held) {
      census.Add(block, held);
      if (visit) visit(block, held);
    });
    inspection->heaps.push_back(
        {readings.back(), census.Finish(readings.back().arenas)});
  }
  return readings;
}

void RefuseIfNone(const Inspection& inspection,
                  const std::vector<FoundHeap>& heaps) {
  if (heaps.empty())
    throw InputError(inspection.target +
                     ": has no pymalloc heap (not a Python process, or one "
                     "that runs on another allocator)");
}

// A process stopped within a request goes on and is stopped again.
constexpr int kMostStops = 10;

// Copies all arenas, and what says where they are, while the process stands
// still; what the time does not suffice for, after it.
Standstill StopAndCopy(int pid, double most_ms, std::vector<FoundHeap>* heaps,
                       CopiedMemory* copied) {
  // Detaching takes its time too.
  constexpr double kReserveMs = 5;
  Standstill standstill;
  const auto each_arena = [&](auto&& visit) {
    for (const FoundHeap& heap : *heaps)
      for (const FoundArena& arena : heap.state.arenas) {
        const std::uint64_t begin = arena.record.base & ~(kPageBytes - 1);
        visit(begin,
              (arena.record.base + heap.geometry.arena_bytes + kPageBytes - 1) &
                  ~(kPageBytes - 1));
      }
  };
  each_arena([&](std::uint64_t begin, std::uint64_t end) {
    copied->Prepare(begin, end);
  });
  bool stands = true;
  ProcessStop stop(pid);
  for (FoundHeap& heap : *heaps)
    if (!heap.state.by_headers) ReadAgain(*copied, &heap.state);
  for (const FoundHeap& heap : *heaps) {
    const std::uint64_t begin = heap.state.records & ~(kPageBytes - 1);
    const std::uint64_t end =
        (heap.state.records + heap.state.slots * sizeof(ArenaRecord) +
         kPageBytes - 1) &
        ~(kPageBytes - 1);
    if (begin < end) copied->Copy(begin, end);
  }
  each_arena([&](std::uint64_t begin, std::uint64_t end) {
    if (stands && stop.stopped_ms() > most_ms - kReserveMs) {
      standstill.stopped_ms = stop.GoOn();
      stands = false;
    }
    copied->Copy(begin, end);
    (stands ? standstill.bytes : standstill.bytes_late) += end - begin;
  });
  if (stands) standstill.stopped_ms = stop.GoOn();
  return standstill;
}

// The snapshot is of what `memory` shows.
void Save(TargetMemory& memory, const std::vector<FoundHeap>& heaps,
          ObjectTypes& types, const std::string& target,
          const std::string& path) {
  if (heaps.front().state.by_headers)
    throw InputError(target +
                     ": a snapshot needs the interpreter's own records; a "
                     "search by headers does not tell the order of its lists");
  Snapshot snapshot = TakeSnapshot(memory, heaps, types);
  snapshot.target = target;
  WriteSnapshot(snapshot, path);
}

}  // namespace

Inspection InspectProcess(int pid, const InspectOptions& options) {
  LiveProcess process(pid);
  Inspection inspection;
  inspection.target = "process " + std::to_string(pid);
  std::vector<FoundHeap> heaps = FindHeaps(process, options.by_headers);
  process.CheckAlive();
  RefuseIfNone(inspection, heaps);
  inspection.by_headers = heaps.front().state.by_headers;
  ObjectTypes types(process);
  std::optional<CopiedMemory> copy;
  for (int stops = 1;; ++stops) {
    copy.emplace(process);
    if (options.freeze)
      inspection.standstill =
          StopAndCopy(pid, options.most_stopped_ms, &heaps, &*copy);
    if (options.snapshot_path.empty()) break;
    try {
      Save(*copy, heaps, types, inspection.target, options.snapshot_path);
      break;
    } catch (const TornHeap&) {
      if (!options.freeze || stops == kMostStops) throw;
    }
  }
  CopiedMemory& copied = *copy;
  const std::vector<HeapReading> readings =
      ReadHeaps(copied, heaps, types, options.visit, &inspection);
  inspection.python = FindPythonVersion(process).value_or("");
  inspection.thread_states = FindThreadStates(process, inspection.python);
  process.CheckAlive();
  inspection.whose = TellWhoseMemory(copied, process.totals(), readings);
  process.CheckAlive();
  return inspection;
}

Inspection InspectCore(const std::string& path, const InspectOptions& options) {
  CoreFile core(path);
  Inspection inspection;
  inspection.target = "core " + path;
  const std::vector<FoundHeap> heaps = FindHeaps(core, options.by_headers);
  RefuseIfNone(inspection, heaps);
  inspection.by_headers = heaps.front().state.by_headers;
  ObjectTypes types(core);
  if (!options.snapshot_path.empty())
    Save(core, heaps, types, inspection.target, options.snapshot_path);
  ReadHeaps(core, heaps, types, options.visit, &inspection);
  inspection.python = FindPythonVersion(core).value_or("");
  inspection.thread_states = FindThreadStates(core, inspection.python);
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
