// Is a program that was recorded again worse than before, or only another run
// of the same? The rule for the same COMMAND, whose runs differ a little even
// with hash seed and address layout fixed (threads, time, the network).
//
//   band   = [least - slack, most + slack] of the base's recordings
//   slack  = 2 x the wider side's (most - least) + max(quantum, budget)
//   worse  : the median of the new recordings lies above the band
//   better : below it
//
// WHY BOTH SIDES, AND TWICE. Three recordings of a base can be alike by chance
// where the program's peak depends on the scheduler: a band of theirs alone
// called one unchanged comparison in five worse. With both sides' ranges fewer
// than one in a hundred are, from three recordings on, whatever the
// distribution (a test draws from three); with five recordings fewer than one
// in ten thousand, and the band is as wide as the noise that is there. The
// quantum is what a metric moves by at least: memory comes in arenas, counts in
// ones.
//
//   base 11, 12, 11 arenas, new ones within one of each other: slack 2 + 1,
//   band [8, 15]; a new median of 16 is a regression, 15 is not.
//
// Plain values. Any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace arenalab {

// Below this no side has a band, and nothing is decided.
inline constexpr std::size_t kLeastRecordings = 3;

struct Band {
  double low = 0;
  double high = 0;
};

// REQUIRES: at least one value a side.
Band BandOf(const std::vector<double>& base, const std::vector<double>& now,
            double quantum, double budget);

// Of an even number the mean of the two in the middle. REQUIRES: not empty.
double MedianOf(std::vector<double> values);

}  // namespace arenalab
