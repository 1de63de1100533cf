// What `arenalab stats` says of a trace's types and call sites: which moments,
// and in which words.
#pragma once

#include <string>
#include <vector>

#include "tools/replay/attribution.h"

namespace arenalab {

// At the peak of the small bytes, their last valley (if there is one) and the
// end (tools/replay/moments.h). Reads the trace twice more.
std::vector<AttributedMoment> AttributeMoments(TraceReader& reader,
                                               const GeometryValues& geometry);

// A table of the largest types and call sites at each moment.
std::string AttributionText(const std::vector<AttributedMoment>& moments);

}  // namespace arenalab
