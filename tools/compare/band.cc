// The base's band; formulas in band.h.
#include "tools/compare/band.h"

#include <algorithm>

namespace arenalab {

Band BandOf(const std::vector<double>& base, const std::vector<double>& now,
            double quantum, double budget) {
  const auto [least, most] = std::ranges::minmax(base);
  const auto [new_least, new_most] = std::ranges::minmax(now);
  const double quiet = std::max(quantum, budget);
  if (std::min(base.size(), now.size()) < kRankRecordings) {
    const double range = std::max(most - least, new_most - new_least);
    return {least - 2 * range - quiet, most + 2 * range + quiet};
  }
  Band band{least - quiet, most + quiet};
  if (new_least <= most && new_most >= least) {  // not parted: no change
    band.low = std::min(band.low, new_least);
    band.high = std::max(band.high, new_most);
  }
  return band;
}

double MedianOf(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace arenalab
