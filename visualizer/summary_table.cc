// The table over all allocators, with the physical limits above them.
//
// Compared is what is resident while all requests of the scope are served, as
// measured in the worker: the one number that all allocators have. The model's
// figures for pymalloc alone are in the charts.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

struct Row {
  std::string name;
  std::string label;                          // how the numbers are known
  std::optional<double> most, valley, end;    // bytes
  const nlohmann::json* allocator = nullptr;  // null in a limit's row
};

std::optional<double> NumberOf(const nlohmann::json& value) {
  if (!value.is_number()) return std::nullopt;
  return value.get<double>();
}

std::optional<double> ElementOf(const nlohmann::json& series,
                                const nlohmann::json& sample) {
  if (!series.is_array() || !sample.is_number_integer()) return std::nullopt;
  const auto at = sample.get<std::size_t>();
  return at < series.size() ? NumberOf(series[at]) : std::nullopt;
}

Row LimitRow(const char* name, const char* label, const nlohmann::json& series,
             const nlohmann::json& moments) {
  Row row{name, label, std::nullopt,
          ElementOf(series, At(moments, "last_valley")),
          ElementOf(series, At(moments, "end"))};
  for (const nlohmann::json& value : series) {
    const auto number = NumberOf(value);
    if (number && *number >= row.most.value_or(0)) row.most = number;
  }
  return row;
}

// Versions are for telling apart; the full one stands in the provenance.
std::string ShortVersion(const std::string& version) {
  constexpr std::size_t kMost = 14;
  return version.size() <= kMost ? version : version.substr(0, kMost) + "…";
}

std::vector<Row> RowsOf(const nlohmann::json& results) {
  const nlohmann::json& moments = At(results, "moments");
  std::vector<Row> rows;
  rows.push_back(LimitRow("requested", "limit: nothing holds less",
                          At(At(results, "timeline"), "requested_bytes"),
                          moments));
  const nlohmann::json& repacked = At(At(results, "limits"), "class_repack");
  if (repacked.is_array()) {
    rows.push_back(LimitRow("repacked",
                            "limit: a compacting pymalloc, small requests only",
                            repacked, moments));
  }
  for (const nlohmann::json& allocator : At(results, "allocators")) {
    const nlohmann::json& summary = At(allocator, "summary");
    Row row{TextOf(At(allocator, "spelled")),
            TextOf(At(allocator, "label")),
            NumberOf(At(summary, "peak_rss_bytes")),
            NumberOf(At(summary, "last_valley_rss_bytes")),
            NumberOf(At(summary, "end_rss_bytes")),
            &allocator};
    const std::string version = TextOf(At(allocator, "version"));
    if (!version.empty()) row.label += " · " + ShortVersion(version);
    rows.push_back(std::move(row));
  }
  return rows;
}

// On narrow screens a row becomes a card; each cell then shows its column.
std::string Cell(const char* column, const std::string& text) {
  return std::string("<td data-label=\"") + column + "\">" + text + "</td>";
}

std::string Fixed(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Bytes, and under them how often the requested bytes of that moment.
std::string BytesCell(const char* column, const std::optional<double>& bytes,
                      const std::optional<double>& requested) {
  if (!bytes) return Cell(column, "n/a");
  std::string text = FormatBytes(*bytes);
  if (requested && *requested > 0) {
    text += "<span class=\"label\">" + Fixed("%.2f ×", *bytes / *requested) +
            "</span>";
  }
  return Cell(column, text);
}

// A bar on a scale that ends at `largest`; what is beyond is said, not drawn.
std::string Bar(const std::optional<double>& bytes, double largest) {
  if (!bytes || largest <= 0) return "<td class=\"bar-cell\"></td>";
  if (*bytes > largest) {
    return "<td class=\"bar-cell\"><span class=\"label\">beyond this "
           "scale</span></td>";
  }
  return "<td class=\"bar-cell\"><svg viewBox=\"0 0 100 12\" "
         "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"" +
         Fixed("%.2f", 100 * *bytes / largest) +
         "\" height=\"12\"/></svg></td>";
}

std::string Speed(const nlohmann::json* allocator) {
  if (allocator == nullptr) return "<td></td><td></td>";
  const nlohmann::json& time = At(*allocator, "time");
  const nlohmann::json& ratio = At(time, "ratio_to_pymalloc");
  const nlohmann::json& gross = At(time, "gross_median");
  const std::string verdict = TextOf(At(ratio, "verdict"));
  std::string times = "n/a";
  if (At(ratio, "median").is_number()) {
    const char* kind = verdict == "faster"   ? "better"
                       : verdict == "slower" ? "worse"
                                             : "";
    times = Fixed("%.2f ×", At(ratio, "median").get<double>()) +
            "<span class=\"label\"><span class=\"" + kind + "\">" +
            Escape(verdict) + "</span></span>";
  }
  return Cell("speed", gross.is_number() ? Fixed("%.1f ns", gross.get<double>())
                                         : "n/a") +
         Cell("time ÷ pymalloc", times);
}

}  // namespace

std::string SummarySection(const nlohmann::json& results) {
  const std::vector<Row> rows = RowsOf(results);
  // bump and null never reuse memory: a scale for them would flatten the rest.
  double largest = 0;
  for (const Row& row : rows) {
    if (row.name != "bump" && row.name != "null") {
      largest = std::max(largest, row.most.value_or(0));
    }
  }
  const nlohmann::json& options = At(results, "options");
  std::string out =
      "<table>\n<caption>Resident bytes (Rss of the replay, an empty one "
      "subtracted), scope " +
      Escape(TextOf(At(options, "scope"))) +
      ". In small print: how often what was requested at that moment; at most: "
      "how often the most that was requested. Speed: median nanoseconds per "
      "request with the replayer's own cost, touching " +
      Escape(TextOf(At(options, "touch"))) +
      ".</caption>\n<thead><tr><th scope=\"col\">allocator</th><th "
      "scope=\"col\">at most</th><td></td><th scope=\"col\">last "
      "valley</th><th scope=\"col\">end</th><th scope=\"col\">speed</th><th "
      "scope=\"col\">time ÷ pymalloc</th></tr></thead>\n<tbody>\n";
  for (const Row& row : rows) {
    const bool limit = row.allocator == nullptr;
    out += std::string("<tr") + (limit ? " class=\"limit\"" : "") +
           "><th scope=\"row\">" + Escape(row.name) + "<span class=\"label\">" +
           Escape(row.label) + "</span></th>" +
           BytesCell("at most", row.most, limit ? std::nullopt : rows[0].most) +
           Bar(row.most, largest) +
           BytesCell("last valley", row.valley,
                     limit ? std::nullopt : rows[0].valley) +
           BytesCell("end", row.end, std::nullopt) + Speed(row.allocator) +
           "</tr>\n";
  }
  return out + "</tbody>\n</table>";
}

}  // namespace arenalab
