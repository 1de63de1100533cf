// Are two allocators differently fast? The arithmetic of MeasureTimes, apart
// from any clock so that tests can feed it.
//
//   ratio_i = time of X in round i / time of the first allocator in round i
//   median  = the median of ratio_i
//   low, high = 2.5 % and 97.5 % quantiles of the medians of kResamples
//               resamples of ratio_i with replacement (bootstrap)
//
// The A/A arm is the first allocator measured once more in every round: what
// its ratio does is noise. X is faster if its whole interval lies below 1 and
// below the whole A/A interval; slower if above both; no difference otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/replay/measure.h"

namespace arenalab {

inline constexpr int kResamples = 2000;

// Of an even number the mean of the two in the middle. REQUIRES: not empty.
double Median(std::vector<double> values);

// Without a verdict. REQUIRES: as many times as reference times, at least one.
TimeRatio RatioOf(const std::vector<double>& times,
                  const std::vector<double>& reference, std::uint64_t seed);

TimeVerdict Judge(const TimeRatio& ratio, const TimeRatio& again, int rounds);

}  // namespace arenalab
