// Order statistics and the verdict; formulas in time_gate.h.
#include "tools/compare/time_gate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/compare/band.h"

namespace arenalab {
namespace {

constexpr double kFamilyError = 0.05;
constexpr int kMostRounds = 10000;

std::vector<double> Ratios(const std::vector<double>& times,
                           const std::vector<double>& base) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < times.size(); ++i) {
    ratios.push_back(times[i] / base[i]);
  }
  std::ranges::sort(ratios);
  return ratios;
}

std::string PerCent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * share);
  return text;
}

}  // namespace

int IntervalRank(int n, double alpha) {
  // P(fewer than k of n lie below the median), one side: the sum of
  // Binomial(n, 1/2) up to k - 1.
  double probability = std::exp2(-n);
  double below = 0;
  int k = 0;
  for (int i = 0; i < n / 2; ++i) {
    below += probability;
    if (2 * below > alpha) break;
    k = i + 1;
    probability *= static_cast<double>(n - i) / (i + 1);
  }
  return k;
}

TimeGate JudgeTimes(const std::vector<double>& base,
                    const std::vector<double>& again,
                    const std::vector<double>& now,
                    const TimeGateOptions& options) {
  TimeGate gate;
  const int n = static_cast<int>(base.size());
  const double alpha = kFamilyError / std::max(1, options.family);
  const int k = IntervalRank(n, alpha);
  if (n > 0) gate.effect = MedianOf(Ratios(now, base));
  if (k == 0) {
    int rounds = n;
    while (IntervalRank(rounds, alpha) == 0) ++rounds;
    gate.rounds_needed = rounds;
    gate.why = "too few rounds: " + std::to_string(rounds) + " are needed";
    return gate;
  }
  const std::vector<double> ratios = Ratios(now, base);
  const std::vector<double> noise = Ratios(again, base);
  const auto low = static_cast<std::size_t>(k - 1);
  const auto high = static_cast<std::size_t>(n - k);
  gate.low = ratios[low];
  gate.high = ratios[high];
  gate.floor = std::max(std::abs(noise[high] - 1), std::abs(1 - noise[low]));
  const double beyond = 1 + std::max(options.threshold, gate.floor);
  if (gate.low > beyond) {
    gate.verdict = Verdict::kRegression;
  } else if (gate.high < 1 / beyond) {
    gate.verdict = Verdict::kImprovement;
  } else if (options.threshold < gate.floor) {
    gate.why = "the threshold " + PerCent(options.threshold) +
               " is below the A/A floor " + PerCent(gate.floor);
  } else if (gate.high <= 1 + options.threshold &&
             gate.low >= 1 / (1 + options.threshold)) {
    gate.verdict = Verdict::kUnchanged;
  } else {
    // An interval shrinks with the root of the rounds.
    const double half = (gate.high - gate.low) / 2;
    const double edge =
        gate.effect > 1 ? 1 + options.threshold : 1 / (1 + options.threshold);
    const double distance = std::abs(gate.effect - edge);
    const double rounds =
        distance > 0 ? std::ceil(n * (half / distance) * (half / distance))
                     : kMostRounds;
    gate.rounds_needed =
        static_cast<int>(std::clamp<double>(rounds, n + 1, kMostRounds));
    gate.why = "need about " + std::to_string(gate.rounds_needed) + " rounds";
  }
  return gate;
}

}  // namespace arenalab
