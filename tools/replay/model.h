// Replays a compiled trace on the pymalloc clone, in this process, and looks at
// it at every sample: what is held and why, what is committed, the map.
//
// Nothing is measured here: every figure follows from the trace, the geometry
// and the arenas' offsets, and is the same on every machine. Requests that
// pymalloc does not serve are counted, not made.
//
// One heap, one thread: the requests of all threads and of all interpreters of
// the trace, in the trace's order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "tools/replay/compile.h"
#include "tools/replay/heap_pages.h"
#include "tools/replay/moments.h"
#include "tools/replay/object_list.h"
#include "tools/replay/placements.h"
#include "tools/replay/retention.h"
#include "tools/replay/waterfall.h"

namespace arenalab {

struct ModelOptions {
  // Base of arena k modulo the pool size: arena_offsets[k % size]; empty: 0.
  std::vector<std::size_t> arena_offsets;
  std::size_t page_bytes = 4096;
  std::size_t map_budget_bytes = std::size_t{16} << 20;  // compressed
  // Objects that are listed, object_list.h; 0: none. No trace of three million
  // requests has more.
  std::size_t most_objects = 0;
  bool mesh = false;  // compute the mesh bound at every moment
  // Where to write placements; nullptr: nowhere. The caller closes it.
  PlacementsFile* placements = nullptr;
};

struct ModelSample {
  Waterfall waterfall;
  std::uint64_t committed_bytes = 0;  // pages of arenas, committed.h
  // Live requests that pymalloc passed on, as asked for.
  std::uint64_t large_requested_bytes = 0;
  std::uint64_t arenas_live = 0;
  // By class.
  std::vector<std::uint32_t> pools;
  std::vector<std::uint32_t> used_blocks;
};

// The pages at one of the moments.
struct ModelPages {
  std::size_t sample;
  PagePotential potential;
  // Only where ModelOptions::mesh asks for it.
  std::uint64_t meshed_pairs_bytes = 0;
  std::uint64_t meshed_eights_bytes = 0;
};

// One pool from within, for an explanation: the smallest one in use, at the
// last valley, or at the peak where there is none.
struct PoolExample {
  std::size_t sample;
  std::uint64_t pool;  // RESULTS.md's number
  std::uint32_t size_class;
  std::uint32_t live_blocks;
  std::uint32_t carved_blocks;           // were handed out, or are linked
  std::vector<std::uint32_t> free_list;  // blocks, next to be handed out first
};

struct ModelRun {
  std::string settings;
  GeometryValues geometry{};
  std::vector<ModelSample> samples;
  std::uint64_t arenas_created = 0;
  std::uint64_t arenas_released = 0;
  std::uint64_t arenas_high_water = 0;
  std::uint64_t failed_requests = 0;  // the machine had no memory for arenas
  // Sum over classes of the most blocks that were ever live at once: the least
  // peak of an allocator that never turns a pool over to another class.
  std::uint64_t segregation_bytes = 0;
  // How many requests passed from each released arena's birth to its release.
  std::vector<std::uint64_t> arena_lifetimes;
  std::vector<Retention> retention;  // at the peak, the last valley and the end
  std::vector<ModelPages> pages;     // at the peak, the valleys and the end
  std::string map;                   // RESULTS.md, MAP's data
  std::vector<std::size_t> map_told;  // samples at which the map is exact
  std::optional<ObjectList::Columns> objects;
  std::optional<PoolExample> example;
};

// The recorded bases modulo the pool size of those arenas that have this
// geometry's size. (Other sizes are no arenas: since 3.11 the frame stack's
// chunks come from the same source.)
std::vector<std::size_t> RecordedOffsets(const CompiledTrace& trace,
                                         const GeometryValues& geometry);

// `settings` are pymalloc's (runtime_generation.h): "geometry:cpython-3.12",
// and whatever differs from it. Throws InputError where they mean nothing.
// Aborts with both values where a residue is not 0: a broken invariant, not bad
// input.
ModelRun RunModel(std::string_view settings, const CompiledTrace& trace,
                  const Samples& samples, const ModelOptions& options);

}  // namespace arenalab
