// Is a program that was recorded again worse than before, or only another run
// of the same? The rule for the same COMMAND, whose runs differ a little even
// with hash seed and address layout fixed (threads, time, the network).
//
//   band   = [least - slack, most + slack] of the base's recordings
//   slack  = (most - least) + max(quantum, budget)
//   worse  : the median of the new recordings lies above the band
//   better : below it
//
// WHY NOT THE RANGE ALONE. Of three recordings a side the new median lies above
// all three of the base once in five times when nothing has changed: a range is
// too narrow by itself. The quantum is what a metric moves by at least: memory
// comes in arenas, counts in ones.
//
//   base 11, 12, 11 arenas: slack 1 + 1, band [9, 14]; a new median of 15 is a
//   regression, 14 is not.
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

// REQUIRES: at least one value.
Band BandOf(const std::vector<double>& base, double quantum, double budget);

// Of an even number the mean of the two in the middle. REQUIRES: not empty.
double MedianOf(std::vector<double> values);

}  // namespace arenalab
