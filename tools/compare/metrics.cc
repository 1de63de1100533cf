// Takes the compared metrics out of a results file.
#include "tools/compare/metrics.h"

#include <string>

namespace arenalab {
namespace {

constexpr std::string_view kTime = "time_ratio";

}  // namespace

std::optional<double> MetricValue(const nlohmann::json& allocator,
                                  const MetricKind& kind) {
  const auto group = allocator.find(kind.group);
  if (group == allocator.end() || !group->is_object()) return std::nullopt;
  auto value = group->find(kind.key);
  if (value == group->end()) return std::nullopt;
  if (kind.name == kTime) {
    if (!value->is_object()) return std::nullopt;
    const auto median = value->find("median");
    if (median == value->end()) return std::nullopt;
    value = median;
  }
  if (!value->is_number()) return std::nullopt;
  return value->get<double>();
}

// pymalloc's memory is the model's, to the byte. null and bump are ours and
// hold what their rule says, but what of it is resident is measured.
Certainty MetricCertainty(const nlohmann::json& allocator,
                          const MetricKind& kind) {
  if (kind.name == kTime) return Certainty::kTimed;
  if (kind.name.find("rss") != std::string_view::npos) {
    return Certainty::kMeasured;
  }
  const std::string name = allocator.value("name", "");
  if (name == "pymalloc") return Certainty::kExact;
  const bool held = kind.name.find("held") != std::string_view::npos;
  if ((name == "null" || name == "bump") && held) return Certainty::kExact;
  return Certainty::kMeasured;
}

}  // namespace arenalab
