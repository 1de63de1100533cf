// The metrics of a results file (tools/replay/RESULTS.md) that two files are
// compared by, and which of them are the same on every run.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace arenalab {

enum class Unit { kBytes, kCount, kRatio };

// How far a value may be trusted when it comes from two separate runs.
enum class Certainty {
  kExact,     // computed by a model: equal inputs give equal numbers
  kMeasured,  // resident memory of a process: gated by a range
  kTimed,     // never decides anything across runs
};

struct MetricKind {
  std::string_view name;
  Unit unit;
  std::string_view group;  // object of an ALLOCATOR that holds it
  std::string_view key;    // its key there
  bool gated;              // less is better; else only told
};

inline constexpr std::array kMetricKinds{
    MetricKind{"peak_held_bytes", Unit::kBytes, "summary", "peak_held_bytes",
               true},
    MetricKind{"peak_committed_bytes", Unit::kBytes, "summary",
               "peak_committed_bytes", true},
    MetricKind{"last_valley_held_bytes", Unit::kBytes, "summary",
               "last_valley_held_bytes", true},
    MetricKind{"last_valley_committed_bytes", Unit::kBytes, "summary",
               "last_valley_committed_bytes", true},
    MetricKind{"end_held_bytes", Unit::kBytes, "summary", "end_held_bytes",
               true},
    MetricKind{"end_committed_bytes", Unit::kBytes, "summary",
               "end_committed_bytes", true},
    MetricKind{"drain_bytes", Unit::kBytes, "summary", "drain_bytes", true},
    MetricKind{"waste", Unit::kRatio, "summary", "waste", true},
    MetricKind{"jw1", Unit::kRatio, "summary", "jw1", true},
    MetricKind{"jw2", Unit::kRatio, "summary", "jw2", true},
    MetricKind{"jw3", Unit::kRatio, "summary", "jw3", true},
    MetricKind{"jw4", Unit::kRatio, "summary", "jw4", true},
    MetricKind{"arenas_created", Unit::kCount, "arenas", "created", true},
    MetricKind{"arenas_high_water", Unit::kCount, "arenas", "high_water", true},
    MetricKind{"arenas_live_at_end", Unit::kCount, "arenas", "live_at_end",
               true},
    MetricKind{"arenas_released", Unit::kCount, "arenas", "released", false},
    MetricKind{"peak_rss_bytes", Unit::kBytes, "summary", "peak_rss_bytes",
               true},
    MetricKind{"last_valley_rss_bytes", Unit::kBytes, "summary",
               "last_valley_rss_bytes", true},
    MetricKind{"end_rss_bytes", Unit::kBytes, "summary", "end_rss_bytes", true},
    MetricKind{"time_ratio", Unit::kRatio, "time", "ratio_to_pymalloc", true},
};

// Of a metric in an ALLOCATOR object. nullopt: not known there.
std::optional<double> MetricValue(const nlohmann::json& allocator,
                                  const MetricKind& kind);
Certainty MetricCertainty(const nlohmann::json& allocator,
                          const MetricKind& kind);

}  // namespace arenalab
