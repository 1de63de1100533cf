// An aged heap: before the trace's first request the heap is littered, as a
// process is that has been running for days. Fresh heaps flatter allocators.
//
//   blocks   multiplier x the trace's peak number of live objects are made,
//            their sizes drawn from the trace's own allocations
//   litter   all but the share `occupancy` of them are freed, in random order;
//            what stays is live to the end
//
// The litter's steps come first and have no request number, as what a child
// inherits; the moments are looked for behind them. Samples, limits and every
// curve include what stays. Not the recorded heap: never "replayed exactly".
#pragma once

#include <cstdint>

#include "tools/replay/compile.h"

namespace arenalab {

struct Litter {
  double multiplier = 1;
  double occupancy = 0.1;  // 0 to 1
  std::uint64_t seed = 1;
};

CompiledTrace Aged(CompiledTrace trace, const Litter& litter);

}  // namespace arenalab
