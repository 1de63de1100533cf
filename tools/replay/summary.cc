// The formulas of summary.h.
#include "tools/replay/summary.h"

#include <algorithm>
#include <cstddef>

namespace arenalab {
namespace {

std::optional<double> Over(std::uint64_t held, std::uint64_t requested) {
  if (requested == 0) return std::nullopt;
  return static_cast<double>(held) / static_cast<double>(requested) - 1;
}

}  // namespace

Fragmentation Summarise(const std::vector<std::uint64_t>& clock,
                        const std::vector<std::uint64_t>& requested,
                        const std::vector<std::uint64_t>& held) {
  Fragmentation result;
  if (clock.empty()) return result;
  const auto index_of_max = [](const std::vector<std::uint64_t>& values) {
    return static_cast<std::size_t>(
        std::max_element(values.begin(), values.end()) - values.begin());
  };
  const std::size_t most_requested = index_of_max(requested);
  const std::size_t most_held = index_of_max(held);
  result.jw2 = Over(held[most_requested], requested[most_requested]);
  result.jw3 = Over(held[most_held], requested[most_held]);
  result.jw4 = Over(held[most_held], requested[most_requested]);

  double ratios = 0;
  double ratio_clock = 0;
  double held_integral = 0;
  double requested_integral = 0;
  for (std::size_t i = 1; i < clock.size(); ++i) {
    const auto ticks = static_cast<double>(clock[i] - clock[i - 1]);
    held_integral += ticks * static_cast<double>(held[i]);
    requested_integral += ticks * static_cast<double>(requested[i]);
    if (const auto over = Over(held[i], requested[i])) {
      ratios += ticks * *over;
      ratio_clock += ticks;
    }
  }
  if (ratio_clock > 0) result.jw1 = ratios / ratio_clock;
  if (requested_integral > 0) {
    result.waste = (held_integral - requested_integral) / requested_integral;
  }
  return result;
}

}  // namespace arenalab
