// A sweep as a table, as CSV and as JSON; contract in sweep.h.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/sweep/sweep.h"
#include "tools/version.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

std::string NameOf(const SweepPoint& point) {
  if (point.changed.empty()) return "base";
  std::string name;
  for (const auto& [key, value] : point.changed)
    name += (name.empty() ? "" : ",") + key + ":" + value;
  return name;
}

std::string Number(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.10g", value);
  return text;
}

// RFC 4180.
std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// Least at the last valley first.
std::vector<std::size_t> InOrder(const SweepResult& result) {
  std::vector<std::size_t> order;
  for (std::size_t p = 0; p < result.points.size(); ++p) order.push_back(p);
  std::ranges::stable_sort(order, {}, [&](std::size_t p) {
    return result.points[p].ratios[1].value_or(1);
  });
  return order;
}

}  // namespace

std::string SweepTable(const SweepResult& result) {
  constexpr std::size_t kMostRows = 40;
  std::size_t width = 8;
  for (const SweepPoint& point : result.points)
    width = std::max(width, NameOf(point).size());
  width = std::min<std::size_t>(width, 64);
  const auto front = std::ranges::count_if(
      result.points, [](const SweepPoint& point) { return point.on_front; });
  std::string text =
      std::to_string(result.points.size() - 1) + " combinations on " +
      std::to_string(result.traces.size()) +
      " traces, as ratios to the base (geometric means). * : on the Pareto "
      "front, no other is as good everywhere and better somewhere (" +
      std::to_string(front) + ").\n\n  ";
  std::string head = "settings";
  head.resize(width, ' ');
  text +=
      head + "  peak C  last valley C  mean C  arenas acquired and released\n";
  std::size_t shown = 0;
  // The front first; then the rest as far as it fits a screen.
  for (const bool wanted : {true, false}) {
    for (const std::size_t p : InOrder(result)) {
      const SweepPoint& point = result.points[p];
      if (point.on_front != wanted) continue;
      if (!wanted && shown >= kMostRows) continue;
      ++shown;
      std::string name = NameOf(point);
      name.resize(std::max(width, name.size()), ' ');
      text += (point.on_front ? "* " : "  ") + name;
      constexpr int kWidths[] = {8, 15, 8, 30};
      for (std::size_t o = 0; o < kObjectives.size(); ++o) {
        char cell[48];
        if (point.ratios[o].has_value()) {
          std::snprintf(cell, sizeof(cell), "%*.3f", kWidths[o],
                        *point.ratios[o]);
        } else {
          std::snprintf(cell, sizeof(cell), "%*s", kWidths[o], "n/a");
        }
        text += cell;
      }
      text += "\n";
    }
  }
  if (shown < result.points.size()) {
    text += "  ... and " + std::to_string(result.points.size() - shown) +
            " more, none on the front; all are in --json and --csv\n";
  }
  return text;
}

std::string SweepCsv(const SweepResult& result) {
  std::string text = "trace,settings,on_front";
  for (const std::string_view objective : kObjectives)
    text += "," + std::string(objective);
  text +=
      ",peak_held_bytes,last_valley_held_bytes,arenas_created,"
      "arenas_released,failed_requests\n";
  for (const SweepRow& row : result.rows) {
    text += CsvCell(result.traces[row.trace].path) + "," +
            CsvCell(row.settings) + "," +
            (result.points[row.point].on_front ? "1" : "0");
    for (const double value : row.values) text += "," + Number(value);
    for (const std::uint64_t value :
         {row.peak_held_bytes, row.last_valley_held_bytes, row.arenas_created,
          row.arenas_released, row.failed_requests})
      text += "," + std::to_string(value);
    text += "\n";
  }
  return text;
}

std::string SweepJson(const SweepResult& result,
                      const std::vector<std::string>& command) {
  Json traces = Json::array();
  for (const SweptTrace& trace : result.traces) {
    traces.push_back({{"file", trace.path},
                      {"hash", trace.hash},
                      {"geometry", trace.geometry},
                      {"requests", trace.steps}});
  }
  Json points = Json::array();
  for (const SweepPoint& point : result.points) {
    Json changed = Json::object();
    for (const auto& [key, value] : point.changed) changed[key] = value;
    Json ratios = Json::object();
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      ratios[std::string(kObjectives[o])] =
          point.ratios[o].has_value() ? Json(*point.ratios[o]) : Json(nullptr);
    }
    points.push_back({{"name", NameOf(point)},
                      {"changed", changed},
                      {"ratios", ratios},
                      {"on_front", point.on_front}});
  }
  Json rows = Json::array();
  for (const SweepRow& row : result.rows) {
    Json out = {
        {"trace", row.trace}, {"point", row.point}, {"settings", row.settings}};
    for (std::size_t o = 0; o < kObjectives.size(); ++o)
      out[std::string(kObjectives[o])] = row.values[o];
    out["peak_held_bytes"] = row.peak_held_bytes;
    out["last_valley_held_bytes"] = row.last_valley_held_bytes;
    out["arenas_created"] = row.arenas_created;
    out["arenas_released"] = row.arenas_released;
    out["failed_requests"] = row.failed_requests;
    rows.push_back(std::move(out));
  }
  const Json all = {{"schema", "arenalab.sweep/1"},
                    {"tool", kVersion},
                    {"command", command},
                    {"clock", "allocated bytes"},
                    {"objectives", kObjectives},
                    {"traces", traces},
                    {"points", points},
                    {"rows", rows}};
  return all.dump(1) + "\n";
}

}  // namespace arenalab
