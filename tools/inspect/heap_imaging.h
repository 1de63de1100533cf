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

namespace arenalab {

// Calls `visit` for each live block, in the order of VisitLiveBlocks(). Throws
// InputError, in words that say what contradicts itself, if it is no whole
// image. `heap.state` stays 0: the caller knows whose it is.
HeapImage ReadHeapImage(
    TargetMemory& memory, const AllocatorState& state,
    const GeometryValues& geometry,
    const std::function<void(const LiveBlock&)>& visit = {});

}  // namespace arenalab
