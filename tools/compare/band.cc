// The base's band; formulas in band.h.
#include "tools/compare/band.h"

#include <algorithm>

namespace arenalab {

Band BandOf(const std::vector<double>& base, const std::vector<double>& now,
            double quantum, double budget) {
  const auto [least, most] = std::ranges::minmax(base);
  const auto [new_least, new_most] = std::ranges::minmax(now);
  const double range = std::max(most - least, new_most - new_least);
  const double slack = 2 * range + std::max(quantum, budget);
  return {least - slack, most + slack};
}

double MedianOf(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace arenalab
