// Cells measured in interleaved rounds, each round in an order of its own, and
// what can be said of them: one way for the tables of threads, of models.
//
//   rate     events / wall time, per round; the cell's is the median of rounds
//   interval bootstrap 95 % interval of that median (measure_ratio.h)
//   ratio    median over rounds of (time of the cell / time of its reference)
//   A/A      a cell that is measured twice a round: what its ratio to itself
//            does is noise
//
// Threads: one caller at a time. Errors: what `run` throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/replay/measure.h"
#include "tools/threads/thread_process.h"

namespace arenalab {

// A number with the interval that it lies in.
struct Interval {
  double median = 0;
  double low = 0;
  double high = 0;
};

struct TimedCell {
  std::vector<double> ns_per_event{};  // wall time, one a round
  std::vector<double> again{};         // the A/A arm; cells asked to have one
  std::vector<double> waiting{};       // share, one a round
  Interval events_per_second() const;
  double waiting_median() const;
};

struct InterleavedCell {
  std::function<ThreadOutcome()> run;
  bool again = false;
};

using CellProgress = std::function<void(int done, int total)>;

std::vector<TimedCell> MeasureInterleaved(
    const std::vector<InterleavedCell>& cells, int rounds, std::uint64_t seed,
    const CellProgress& progress);

// 1, 2, 4, 8, ...: as `--threads` and `--workers` default to.
std::vector<std::uint32_t> DefaultCounts();
// Cores that this process may run on.
std::uint32_t UsableCores();
// "not measured: 2 cores", or "" where so many threads have a core each.
std::string BeyondCores(std::uint32_t threads);

}  // namespace arenalab
