// Medians, bootstrap and verdict; formulas in measure_ratio.h.
#include "tools/replay/measure_ratio.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <random>

namespace arenalab {

double Median(std::vector<double> values) {
  assert(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

TimeRatio RatioOf(const std::vector<double>& times,
                  const std::vector<double>& reference, std::uint64_t seed) {
  assert(times.size() == reference.size());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < times.size(); ++i) {
    ratios.push_back(times[i] / reference[i]);
  }
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> pick(0, ratios.size() - 1);
  std::vector<double> medians;
  std::vector<double> resample(ratios.size());
  for (int i = 0; i < kResamples; ++i) {
    for (double& ratio : resample) ratio = ratios[pick(random)];
    medians.push_back(Median(resample));
  }
  std::ranges::sort(medians);
  return {.median = Median(ratios),
          .low = medians[kResamples * 25 / 1000],
          .high = medians[kResamples - 1 - kResamples * 25 / 1000]};
}

TimeVerdict Judge(const TimeRatio& ratio, const TimeRatio& again, int rounds) {
  if (rounds < kLeastRounds) return TimeVerdict::kTooFewRounds;
  if (ratio.high < std::min(1.0, again.low)) return TimeVerdict::kFaster;
  if (ratio.low > std::max(1.0, again.high)) return TimeVerdict::kSlower;
  return TimeVerdict::kNoDifference;
}

}  // namespace arenalab
