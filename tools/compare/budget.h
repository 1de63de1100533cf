// How much worse a metric may get before it is a regression: `NAME=+1%`,
// `NAME=+64K`, `NAME=0`. Without one, not at all: the metrics that are gated
// are deterministic.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace arenalab {

struct Budget {
  double relative = 0;  // 0.01: one per cent of the base
  double absolute = 0;  // in the metric's unit
};

// By metric name; `all` stands for every metric that is not named.
using Budgets = std::map<std::string, Budget, std::less<>>;

// Adds one budget in the command line's spelling. Returns "" or what is wrong
// with it, in one line.
std::string AddBudget(std::string_view spelled, Budgets* budgets);

// What `base` may grow by.
double AllowedGrowth(const Budgets& budgets, std::string_view metric,
                     double base);

}  // namespace arenalab
