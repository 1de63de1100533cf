// A process's heaps as a file: a trace (tracer/TRACE_FORMAT.md) that begins
// with its heaps, says what lives in their blocks, and has no events. And what
// the clone answers when it goes on from one.
//
// Errors: InputError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/object_types.h"
#include "tracer/format/heap_image.h"

namespace arenalab {

// A heap of a target, and where it is.
struct FoundHeap {
  AllocatorState state;
  GeometryValues geometry;
};

struct Snapshot {
  std::string path;
  std::string target;      // "process 4711"
  std::string python;      // "3.11.2", or empty
  std::string generation;  // "cpython-3.11"
  std::vector<HeapImage> heaps;
  std::vector<BlockTypes> types;  // one a heap, or none
};

// REQUIRES: what is said in heap_imaging.h. `path` is left empty.
Snapshot TakeSnapshot(TargetMemory& memory, const std::vector<FoundHeap>& heaps,
                      ObjectTypes& types);
void WriteSnapshot(const Snapshot& snapshot, const std::string& path);
// Any trace that begins with heaps.
Snapshot ReadSnapshot(const std::string& path);

// What the clone says after all live blocks of a type were freed, and the
// memory of its objects ("memory of dict"), in all heaps.
struct WhatIf {
  std::string type;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;  // of the blocks
  std::uint64_t arenas_released = 0;
  std::uint64_t arenas_left = 0;
};
// `types`: names; all of them go. A name that no block has is an InputError.
WhatIf FreeAllOf(const Snapshot& snapshot,
                 const std::vector<std::string>& types);
// One by one, those with the most bytes first.
std::vector<WhatIf> FreeEachType(const Snapshot& snapshot, std::size_t most);

// The clone's statistics, heap by heap. Its address tree has only the nodes
// that the snapshot's arenas need.
std::string SnapshotStatisticsText(const Snapshot& snapshot);
// The table of FreeEachType(), on one screen.
std::string SnapshotText(const Snapshot& snapshot);

}  // namespace arenalab
