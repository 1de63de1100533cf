// Latency of single requests: a replay of its own in which one request in
// `one_in` is timed, chosen at random (worker_latency.h). Not to be compared
// with times per event: a pair of clock readings stands around each call and
// keeps the processor from working ahead; `clock_ns` is what they cost by
// themselves, and is part of every figure.
//
//   p50, p99, p99.9  the upper end of the histogram's bucket that holds the
//                    ceil(share x count)-th smallest: at most 1/16 too high
//   max              exact; of those that were timed
//
// Errors: as measure.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tools/replay/latency_histogram.h"
#include "tools/replay/measure.h"

namespace arenalab {

// In ticks, or as whoever made it says.
struct LatencyFigures {
  std::uint64_t timed = 0;
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
};

// nullopt where nothing was timed.
std::optional<LatencyFigures> FiguresOf(const LatencyHistogram& histogram);

struct LatencyRun {
  std::uint32_t one_in = 0;
  double clock_ns = 0;
  // By OpCode kAlloc to kFree, in nanoseconds.
  std::array<std::optional<LatencyFigures>, 5> kinds;
};

// one_in >= 1; 1 times every request.
LatencyRun MeasureLatency(const AllocatorSpec& spec, const OpsProgram& program,
                          const ReplayOptions& options, std::uint32_t one_in);

}  // namespace arenalab
