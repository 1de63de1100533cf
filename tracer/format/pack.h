// A trace from a trace, as small as it gets: the addresses that the clone tells
// are left out, and zstd takes its time. Reading it gives the same events.
#pragma once

#include <memory>
#include <string>

#include "tracer/format/address_predictor.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// For TraceWriter. `packed` is what the trace's metadata is to say, "" where
// nothing can be predicted: a forked child's heap, one that was there before
// the trace began, one of no known generation; such a trace is smaller all the
// same.
struct Packing {
  std::string packed;
  TraceWriterOptions options;
};
Packing PackingOf(const TraceReader& reader);

// Copies all of it, from its beginning; with the writer's options, that packs
// or unpacks. Throws InputError; what the writer could not write is one too.
void CopyTrace(TraceReader& reader, const std::string& packed,
               TraceWriter& writer);

}  // namespace arenalab
