// A piece of a trace as a trace of its own: for a bug report, or to replay the
// hour that matters.
//
// What was live where the piece begins comes first, as allocations in the order
// of their birth, with the size and address they have by then: so no free in
// the piece is unknown. The history that led to the heap's state is gone, so
// the result can be replayed but not verified (`meta addresses none`), unless
// it begins at request 0. Where a realloc of another thread was under way, lint
// may see a double allocation that was none.
#pragma once

#include <cstdint>

#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// The requests `from` to `to`, without `to`, and what stands between them.
// Calls Finish(), unless the piece reaches the end of a trace that has none.
// One thread; memory is proportional to the live objects. Throws InputError.
void Trim(TraceReader& reader, std::uint64_t from, std::uint64_t to,
          TraceWriter& writer);

}  // namespace arenalab
