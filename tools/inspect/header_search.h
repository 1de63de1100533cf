// pymalloc's arenas found by their pools' headers alone, without the records
// that the interpreter keeps: for a build whose records lie as in no known one,
// and as a second witness beside them.
//
// A pool's header says its class, offsets that go with it, a count, a free list
// and which arena it is of; all of that agreeing by chance is rare, and so many
// side by side with one arena's number rarer still. What cannot be found: an
// arena of which no pool was ever taken, an arena's unused rim (its base is
// told to a pool), and how many arenas came and went.
#pragma once

#include <optional>

#include "tools/inspect/allocator_state.h"
#include "tools/inspect/heap_reading.h"

namespace arenalab {

struct HeaderSearch {
  AllocatorState state;  // by_headers; its arenas are in order of address
  GeometryValues geometry;
};

// All arenas as one heap: interpreters cannot be told apart. nullopt if there
// is no pool. Time is linear in the memory that has content.
std::optional<HeaderSearch> SearchHeaders(TargetMemory& memory);

}  // namespace arenalab
