// Is the new allocator slower? For times of one interleaved session only: in
// each round the base, the base again (the A/A arm) and the new one.
//
//   ratio_i  = new time / base time of round i; effect = their median
//   interval = order statistics of the ratios, [r(k), r(n+1-k)], with k the
//              largest that leaves it a coverage of 1 - 0.05 / family: exact
//              for any distribution, simultaneous over `family` comparisons
//              (Bonferroni)
//   floor    = the farthest that the A/A arm's interval, made the same way,
//              reaches from 1
//
//   regression   : interval above 1 + threshold and above 1 + floor
//   improvement  : interval below 1 / (1 + threshold) and 1 / (1 + floor)
//   unchanged    : interval inside [1 / (1 + threshold), 1 + threshold]
//   inconclusive : anything else, and a threshold below the floor
//
// With n rounds the widest interval, from the least to the greatest ratio, has
// the coverage 1 - 2 / 2^n: below that no number of rounds decides anything.
// Ten rounds settle a family of 25, thirteen one of 200.
//
// Plain values. Any thread.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace arenalab {

struct TimeGateOptions {
  double threshold = 0.05;
  int family = 1;
};

struct TimeGate {
  Verdict verdict = Verdict::kInconclusive;
  double effect = 1;
  double low = 0;
  double high = 0;
  double floor = 0;
  int rounds_needed = 0;  // where more would settle it; 0 elsewhere
  std::string why;        // inconclusive: in a few words
};

// REQUIRES: as many of each.
TimeGate JudgeTimes(const std::vector<double>& base,
                    const std::vector<double>& again,
                    const std::vector<double>& now,
                    const TimeGateOptions& options);

// Rank k, 1-based; 0 where n values cannot reach the coverage 1 - alpha.
int IntervalRank(int n, double alpha);

}  // namespace arenalab
