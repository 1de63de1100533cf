// `arenalab stats TRACE`: what the program asked for, counted in one pass over
// a recording: live bytes, their peak, size classes. (`trace info` tells of the
// file instead.)
//
// Requests at depth 0 only; live bytes are those of Python's mem and obj
// domains, as asked for. THREADS. One. ERRORS. As TraceReader::Next().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "tools/replay/attribution.h"
#include "tools/replay/whose_words.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {

struct ClassStats {
  std::uint64_t block_bytes = 0;  // 0: too large for pymalloc, or zero bytes
  std::uint64_t requests = 0;     // malloc, calloc, aligned, realloc
  std::uint64_t live = 0;         // objects, at the end
  std::uint64_t peak_live = 0;
  std::uint64_t live_bytes = 0;  // as asked for
  std::uint64_t peak_live_bytes = 0;
};

struct TraceStats {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 5> by_kind{};   // by EventKind
  std::array<std::uint64_t, 4> by_layer{};  // by Layer
  std::uint64_t live = 0;                   // objects of mem and obj, now
  std::uint64_t live_bytes = 0;
  std::uint64_t peak_bytes = 0;
  std::uint64_t peak_live = 0;   // objects live at that moment
  std::uint64_t peak_event = 0;  // the request that reached it
  std::uint64_t duration_ns = 0;
  std::uint64_t peak_rss_bytes = 0;  // of those read, now and then
  // At that reading: whose the resident bytes are, the last being the rest.
  std::uint64_t whose_request = 0;
  std::vector<WhoseShare> whose;
  std::uint64_t rss_readings = 0;
  std::uint64_t threads = 0;
  std::uint64_t interpreters = 0;
  std::uint64_t arenas_acquired = 0;  // of the generation's size
  std::uint64_t arenas_released = 0;
  std::uint64_t peak_arenas = 0;
  std::vector<std::string> children;                         // by fork
  std::vector<std::pair<std::string, std::uint64_t>> marks;  // name, EVENT
  GeometryValues geometry{};
  bool geometry_known = false;      // else that of 3.10 on is assumed
  std::vector<ClassStats> classes;  // by class; the last: not pymalloc's
  // At the peak, the last valley and the end; empty: the trace has neither
  // types nor call sites.
  std::vector<AttributedMoment> attribution;
};

TraceStats ComputeTraceStats(TraceReader& reader);

std::string TraceStatsText(const TraceReader& reader, const TraceStats& stats);
// Schema `arenalab.trace-stats/1`.
std::string TraceStatsJson(const TraceReader& reader, const TraceStats& stats);

}  // namespace arenalab
