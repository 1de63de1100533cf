// `arenalab trace info`: what a trace file holds, counted in one pass.
#pragma once

#include <string>

#include "tracer/format/trace_reader.h"

namespace arenalab {

// Both end in a newline. Throw InputError as TraceReader::Next() does.
std::string TraceInfoText(TraceReader& reader);
// Schema `arenalab.trace-info/1`.
std::string TraceInfoJson(TraceReader& reader);

}  // namespace arenalab
