// What the process weighs at given requests: the same program point on every
// allocator, whatever the clock says.
//
//   ARENALAB_MEASURE_AT="FILE:1000,250000"
//
// appends to FILE, for each request K of the mem and object domains (counted
// from 0, frees too, as ARENALAB_STATS_AT counts them) one line when K requests
// are done:
//
//   K anonymous_kib resident_kib minor_faults major_faults
//
// one line `finalise ...` when the interpreter begins to go down (a few
// requests sooner or later than in another run, so no number would meet it),
// and one line `end ...` when the process ends in the ordinary way. The process
// that the variable was given to alone, not its children. Every request is
// counted, so time means nothing in such a run.
#pragma once

#include "allocators/preload/underlay.h"

namespace arenalab::preload {

// nullptr, or what is wrong.
const char* PlanMeasuring(const char* text);
// Was a plan made?
bool IsMeasuring();
// The interpreter begins to go down. Nothing where no plan was made.
void MeasureFinalise();
// `real`, with its requests counted. Once or again for a domain.
PythonAllocator Measured(Domain domain, const PythonAllocator& real);

}  // namespace arenalab::preload
