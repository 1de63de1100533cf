// The table over all allocators, with the physical limits above them.
//
// Compared is C, what is resident. For pymalloc that is the model's committed
// bytes plus what the second allocator holds for requests that pymalloc does
// not serve, because the other allocators serve those too; the row says so.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

using Series = std::vector<double>;

// Nothing unless `value` is an array of numbers, one for each sample.
std::optional<Series> SeriesOf(const nlohmann::json& value,
                               std::size_t samples) {
  if (!value.is_array() || value.size() != samples) return std::nullopt;
  Series out;
  for (const nlohmann::json& element : value) {
    if (!element.is_number()) return std::nullopt;
    out.push_back(element.get<double>());
  }
  return out;
}

struct Row {
  std::string name;
  std::string label;  // how the numbers are known
  std::optional<Series> series;
  const nlohmann::json* allocator = nullptr;  // null in a limit's row
};

std::vector<Row> RowsOf(const nlohmann::json& results) {
  const nlohmann::json& timeline = At(results, "timeline");
  const std::size_t samples = At(timeline, "request").size();
  std::vector<Row> rows;
  rows.push_back({"requested", "limit: nothing holds less",
                  SeriesOf(At(timeline, "requested_bytes"), samples)});
  auto repacked = SeriesOf(At(At(results, "limits"), "class_repack"), samples);
  if (repacked) {
    rows.push_back({"repacked", "limit: a compacting pymalloc, small requests",
                    std::move(repacked)});
  }
  for (const nlohmann::json& allocator : At(results, "allocators")) {
    const bool model = At(allocator, "arenas").is_object() ||
                       At(allocator, "waterfall").is_object();
    Row row{TextOf(At(allocator, "spelled")), TextOf(At(allocator, "label")),
            SeriesOf(At(allocator, "committed_bytes"), samples), &allocator};
    const auto large =
        SeriesOf(At(At(allocator, "large"), "held_bytes"), samples);
    if (model && row.series && large) {
      for (std::size_t i = 0; i < samples; ++i) (*row.series)[i] += (*large)[i];
    }
    row.label += !model  ? ", measured"
                 : large ? ", model + second allocator"
                         : ", model, small requests";
    const std::string version = TextOf(At(allocator, "version"));
    if (!version.empty()) row.label += " · " + version;
    rows.push_back(std::move(row));
  }
  return rows;
}

// On narrow screens a row becomes a card; each cell then shows its column.
std::string Cell(const char* column, const std::string& text) {
  return std::string("<td data-label=\"") + column + "\">" + text + "</td>";
}

std::string BytesAt(const std::optional<Series>& series,
                    const nlohmann::json& sample) {
  if (!series || !sample.is_number_integer()) return "n/a";
  const auto at = sample.get<std::size_t>();
  return at < series->size() ? FormatBytes((*series)[at]) : "n/a";
}

std::string Bar(double bytes, double largest) {
  char text[160];
  std::snprintf(text, sizeof text,
                "<td class=\"bar-cell\"><svg viewBox=\"0 0 100 12\" "
                "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
                "width=\"%.2f\" height=\"12\"/></svg></td>",
                largest > 0 ? 100 * bytes / largest : 0);
  return text;
}

std::string Fixed(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string Ratio(const Row& row, double requested_peak) {
  if (!row.series || requested_peak <= 0) return "n/a";
  return Fixed("%.2f ×",
               *std::max_element(row.series->begin(), row.series->end()) /
                   requested_peak);
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
  const nlohmann::json& moments = At(results, "moments");
  const auto peak = [](const Row& row) {
    return row.series
               ? *std::max_element(row.series->begin(), row.series->end())
               : 0;
  };
  // bump and null never reuse memory: a scale for them would flatten the rest.
  double largest = 0;
  for (const Row& row : rows) {
    if (row.name != "bump" && row.name != "null") {
      largest = std::max(largest, peak(row));
    }
  }
  std::string out =
      "<table>\n<caption>Resident memory (C), "
      "scope " +
      Escape(TextOf(At(At(results, "options"), "scope"))) + ", touch policy " +
      Escape(TextOf(At(At(results, "options"), "touch"))) +
      ". Peak: the largest sample of each. Speed: nanoseconds per request, "
      "with the replayer's own cost.</caption>\n<thead><tr><th "
      "scope=\"col\">allocator</th><th scope=\"col\">peak</th>"
      "<th scope=\"col\">peak ÷ requested</th><td></td>"
      "<th scope=\"col\">last valley</th><th scope=\"col\">end</th>"
      "<th scope=\"col\">speed</th><th scope=\"col\">time ÷ pymalloc</th>"
      "</tr></thead>\n<tbody>\n";
  for (const Row& row : rows) {
    out +=
        "<tr><th scope=\"row\">" + Escape(row.name) + "<span class=\"label\">" +
        Escape(row.label) + "</span></th>" +
        Cell("peak", row.series ? FormatBytes(peak(row)) : "n/a") +
        Cell("peak ÷ requested", Ratio(row, peak(rows[0]))) +
        Bar(std::min(peak(row), largest), largest) +
        Cell("last valley", BytesAt(row.series, At(moments, "last_valley"))) +
        Cell("end", BytesAt(row.series, At(moments, "end"))) +
        Speed(row.allocator) + "</tr>\n";
  }
  return out + "</tbody>\n</table>";
}

}  // namespace arenalab
