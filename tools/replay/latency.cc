// From ticks to percentiles in nanoseconds; contract in latency.h.
#include "tools/replay/latency.h"

#include <algorithm>

#include "tools/replay/worker_process.h"

namespace arenalab {
namespace {

// Per mille, so that the rank is exact.
double Quantile(const LatencyHistogram& histogram, std::uint64_t count,
                std::uint64_t per_mille) {
  const std::uint64_t rank = (count * per_mille + 999) / 1000;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kLatencyBuckets; ++bucket) {
    seen += histogram.counts[bucket];
    if (seen >= rank) {
      return static_cast<double>(
          std::min(MostOfBucket(bucket), histogram.most_ticks));
    }
  }
  return static_cast<double>(histogram.most_ticks);
}

}  // namespace

std::optional<LatencyFigures> FiguresOf(const LatencyHistogram& histogram) {
  LatencyFigures figures;
  for (const std::uint64_t count : histogram.counts) figures.timed += count;
  if (figures.timed == 0) return std::nullopt;
  figures.p50 = Quantile(histogram, figures.timed, 500);
  figures.p99 = Quantile(histogram, figures.timed, 990);
  figures.p999 = Quantile(histogram, figures.timed, 999);
  figures.max = static_cast<double>(histogram.most_ticks);
  return figures;
}

LatencyRun MeasureLatency(const AllocatorSpec& spec, const OpsProgram& program,
                          const ReplayOptions& options, std::uint32_t one_in) {
  ReplayIn in{};
  in.ops = program.ops;
  in.slots = program.slots;
  in.touch = options.touch;
  in.clock = options.clock;
  in.mode = ReplayMode::kLatency;
  in.one_in = one_in;
  const WorkerReport report = RunWorker(spec, program.fd, in);
  const double ns_per_tick =
      report->latency_ticks == 0
          ? 0
          : static_cast<double>(report->latency_ns) /
                static_cast<double>(report->latency_ticks);
  LatencyRun run;
  run.one_in = one_in;
  run.clock_ns = ns_per_tick * static_cast<double>(report->ticks_of_nothing);
  for (std::size_t kind = 0; kind < run.kinds.size(); ++kind) {
    run.kinds[kind] = FiguresOf(report->latency[kind]);
    if (!run.kinds[kind].has_value()) continue;
    LatencyFigures& figures = *run.kinds[kind];
    for (double* ticks :
         {&figures.p50, &figures.p99, &figures.p999, &figures.max})
      *ticks *= ns_per_tick;
  }
  return run;
}

}  // namespace arenalab
