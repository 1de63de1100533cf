// The verdict's numbers at one moment, the last valley or else the peak: what
// is held, what of it is alive, what would do, and how few blocks keep half of
// it.
#include <cstdio>
#include <optional>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

std::string Figure(const char* kind, const std::string& number,
                   const std::string& words) {
  return std::string("<li class=\"") + kind + "\"><b>" + Escape(number) +
         "</b><span>" + Escape(words) + "</span></li>\n";
}

const nlohmann::json* Reference(const nlohmann::json& results) {
  for (const nlohmann::json& allocator : At(results, "allocators")) {
    if (At(allocator, "waterfall").is_object()) return &allocator;
  }
  return nullptr;
}

std::optional<double> ElementOf(const nlohmann::json& series,
                                std::size_t sample) {
  if (!series.is_array() || sample >= series.size() ||
      !series[sample].is_number()) {
    return std::nullopt;
  }
  return series[sample].get<double>();
}

// "55 of 111 arenas are kept by 10 526 blocks"
std::string Holders(const nlohmann::json& counts) {
  if (!counts.is_array() || counts.size() < 2) return "";
  const std::size_t half = counts.size() / 2;
  std::int64_t blocks = 0;
  for (std::size_t i = 0; i < half; ++i) {
    if (!counts[i].is_number_integer()) return "";
    blocks += counts[i].get<std::int64_t>();
  }
  return FormatCount(static_cast<std::int64_t>(half)) + " of " +
         FormatCount(static_cast<std::int64_t>(counts.size())) +
         " arenas are kept by no more than these";
}

}  // namespace

std::string FiguresSection(const nlohmann::json& results) {
  const nlohmann::json* allocator = Reference(results);
  if (allocator == nullptr) return "";
  const nlohmann::json& valley = At(At(results, "moments"), "last_valley");
  const bool has_valley = valley.is_number_integer();
  const nlohmann::json& moment =
      has_valley ? valley : At(At(results, "moments"), "peak");
  if (!moment.is_number_integer()) return "";
  const auto sample = moment.get<std::size_t>();
  const std::string when = has_valley ? "at the last valley" : "at the peak";
  const auto held = ElementOf(At(*allocator, "held_bytes"), sample);
  const nlohmann::json& parts = At(At(*allocator, "waterfall"), "bytes");
  if (!held || !parts.is_array() || sample >= parts.size()) return "";
  const auto live = ElementOf(parts[sample], 0);
  if (!live) return "";
  std::string out = "<ul class=\"figures\">\n";
  out += Figure("held", FormatBytes(*held), "held by pymalloc " + when);
  if (*live > 0) {
    char ratio[32];
    std::snprintf(ratio, sizeof ratio, "%.1f ×", *held / *live);
    out += Figure("waste", ratio,
                  "the " + FormatBytes(*live) + " of it that is alive");
  }
  const auto floor =
      ElementOf(At(At(results, "limits"), "class_repack"), sample);
  if (floor) {
    out += Figure("floor", FormatBytes(*floor),
                  "would do, if blocks could be moved together");
  }
  const nlohmann::json& counts = At(At(At(*allocator, "arenas"), "live_blocks"),
                                    has_valley ? "last_valley" : "peak");
  const std::string holders = Holders(counts);
  if (!holders.empty()) {
    std::int64_t blocks = 0;
    for (std::size_t i = 0; i < counts.size() / 2; ++i)
      blocks += counts[i].get<std::int64_t>();
    out += Figure("holders", FormatCount(blocks) + " blocks", holders);
  }
  return out + "</ul>\n";
}

}  // namespace arenalab
