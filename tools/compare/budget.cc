// Parses budgets and decides whether a change is within one.
#include "tools/compare/budget.h"

#include <cmath>
#include <cstdlib>

#include "tools/compare/metrics.h"

namespace arenalab {
namespace {

constexpr std::string_view kEvery = "all";

bool IsMetric(std::string_view name) {
  if (name == kEvery) return true;
  for (const MetricKind& kind : kMetricKinds) {
    if (kind.name == name) return true;
  }
  return false;
}

}  // namespace

std::string AddBudget(std::string_view spelled, Budgets* budgets) {
  const std::string whole(spelled);
  const std::size_t equals = spelled.find('=');
  if (equals == std::string_view::npos) {
    return "`" + whole + "` is not METRIC=BUDGET, as in peak_held_bytes=+1%";
  }
  const std::string name(spelled.substr(0, equals));
  if (!IsMetric(name)) {
    std::string known;
    for (const MetricKind& kind : kMetricKinds) {
      known += ", " + std::string(kind.name);
    }
    return "no metric is called `" + name + "`; there are " +
           std::string(kEvery) + known;
  }
  const std::string amount(spelled.substr(equals + 1));
  char* end = nullptr;
  const double value = std::strtod(amount.c_str(), &end);
  const std::string_view unit(end);
  if (end == amount.c_str() || !std::isfinite(value) || value < 0) {
    return "`" + whole + "`: the budget is a number that is not negative";
  }
  Budget budget;
  if (unit == "%") {
    budget.relative = value / 100;
  } else if (unit.empty()) {
    budget.absolute = value;
  } else if (unit == "K" || unit == "KiB") {
    budget.absolute = value * 1024;
  } else if (unit == "M" || unit == "MiB") {
    budget.absolute = value * 1024 * 1024;
  } else {
    return "`" + whole + "`: the unit is %, K, M or none";
  }
  (*budgets)[name] = budget;
  return "";
}

double AllowedGrowth(const Budgets& budgets, std::string_view metric,
                     double base) {
  auto it = budgets.find(metric);
  if (it == budgets.end()) it = budgets.find(kEvery);
  if (it == budgets.end()) return 0;
  return it->second.relative * std::abs(base) + it->second.absolute;
}

}  // namespace arenalab
