// A heap of a target as an image (tracer/format/heap_image.h): what the clone
// needs to go on from there, the order of every list included.
//
// The target must stand still meanwhile, or be looked at through a copy
// (copied_memory.h): one list that was caught half changed makes an image that
// is none.
#pragma once

#include <functional>
#include <string>

#include "tools/inspect/heap_reading.h"
#include "tracer/format/heap_image.h"
#include "tracer/format/input_error.h"

namespace arenalab {

// What was read is no whole heap. A process that stands still may show one too:
// it may have been stopped within a request (mapping an arena, most often), and
// is whole when it is stopped again.
class TornHeap : public InputError {
 public:
  using InputError::InputError;
};

// Calls `visit` for each live block, in the order of VisitLiveBlocks(). Throws
// TornHeap, in words that say what contradicts itself. `heap.state` stays 0:
// the caller knows whose it is.
HeapImage ReadHeapImage(
    TargetMemory& memory, const AllocatorState& state,
    const GeometryValues& geometry,
    const std::function<void(const LiveBlock&)>& visit = {});

}  // namespace arenalab
