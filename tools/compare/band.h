// Is a program that was recorded again worse than before, or only another run
// of the same? The rule for the same COMMAND, whose runs differ a little even
// with hash seed and address layout fixed (threads, time, the network).
//
//   worse  : the median of the new recordings lies above the band
//   better : below it
//
//   from six a side   band = [least - q, most + q] of the base's recordings,
//   and
//                     of both sides' where the two overlap
//   from three on     band = [least - s, most + s],
//                     s = 2 x the wider side's (most - least) + q
//   q = max(quantum, budget): what a metric moves by at least (memory comes in
//   arenas, counts in ones), or may move by.
//
// WHY SIX. Where nothing changed, which recordings are the new ones is a draw:
// that all six lie above all six others happens once in C(12,6) = 924, whatever
// the distribution. So a change is one that parts the two sides. Were all of a
// recording's fourteen metrics independent, which they are not, 1.5 comparisons
// in a hundred would be false alarms; with seven a side, one in C(14,7) = 3432
// for each, 0.4. The ranks are all that is used: no width is fitted to any
// program's noise.
//
// WHY TWICE THE SPREAD, BELOW SIX. Three against three part once in 20: too
// often. What lies beyond twice the wider spread is parted as well (if one new
// recording were not above all of the base, the median could be above by no
// more than the new side's own spread), and further from the base than the
// noise that was seen is wide. It is a weaker promise: of a program with two
// states, each half of the time, 1 in 64 is called worse with three a side.
//
//   base 11, 12, 11 arenas, new ones within one of each other: s = 2 + 1,
//   band [8, 15]; a new median of 16 is a regression, 15 is not. Six a side:
//   base 11, 12, 11, 11, 12, 11: band [10, 13]; 14, 14, 14, 15, 14, 14 is one.
//
// Plain values. Any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace arenalab {

// Below this no side has a band, and nothing is decided.
inline constexpr std::size_t kLeastRecordings = 3;
// From here on a side, the ranks alone decide.
inline constexpr std::size_t kRankRecordings = 6;

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
