// Rounds in random order; contract in interleaved.h.
#include "tools/threads/interleaved.h"

#include <sched.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tools/replay/measure_ratio.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kIntervalSeed = 20240229;

}  // namespace

Interval TimedCell::events_per_second() const {
  if (ns_per_event.empty()) return {};
  std::vector<double> rates;
  for (const double ns : ns_per_event) rates.push_back(1e9 / ns);
  const TimeRatio ratio =
      RatioOf(rates, std::vector<double>(rates.size(), 1.0), kIntervalSeed);
  return {ratio.median, ratio.low, ratio.high};
}

double TimedCell::waiting_median() const {
  return waiting.empty() ? 0 : Median(waiting);
}

std::vector<TimedCell> MeasureInterleaved(
    const std::vector<InterleavedCell>& cells, int rounds, std::uint64_t seed,
    const CellProgress& progress) {
  std::vector<TimedCell> measured(cells.size());
  // Arm i < cells.size() is cell i; the others are A/A arms.
  std::vector<std::size_t> arms(cells.size());
  std::iota(arms.begin(), arms.end(), std::size_t{0});
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].again) arms.push_back(cells.size() + i);
  }
  const int total = rounds * static_cast<int>(arms.size());
  int done = 0;
  std::mt19937_64 random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(arms, random);
    for (const std::size_t arm : arms) {
      if (progress) progress(done++, total);
      const bool again = arm >= cells.size();
      const std::size_t cell = again ? arm - cells.size() : arm;
      const ThreadOutcome outcome = cells[cell].run();
      const double ns =
          static_cast<double>(outcome.wall_ns()) /
          static_cast<double>(std::max<std::uint64_t>(1, outcome.events()));
      if (again) {
        measured[cell].again.push_back(ns);
      } else {
        measured[cell].ns_per_event.push_back(ns);
        measured[cell].waiting.push_back(outcome.waiting_share());
      }
    }
  }
  return measured;
}

std::vector<std::uint32_t> DefaultCounts() { return {1, 2, 4, 8}; }

std::uint32_t UsableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&cores)));
}

std::string BeyondCores(std::uint32_t threads) {
  const std::uint32_t cores = UsableCores();
  return threads <= cores ? ""
                          : "not measured: " + std::to_string(cores) +
                                (cores == 1 ? " core" : " cores");
}

}  // namespace arenalab
