// A Comparison as text, Markdown and JSON.
#include "tools/compare/comparison_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "tools/replay/readable.h"

namespace arenalab {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kColumns = 7;
using Row = std::array<std::string, kColumns>;
constexpr std::size_t kFirstNumber = 3;  // base, new, change: to the right
constexpr std::size_t kLastNumber = 5;

std::string Mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRegression:
      return "▲";
    case Verdict::kImprovement:
      return "▼";
    case Verdict::kInconclusive:
      return "?";
    case Verdict::kUnchanged:
      return "=";
    case Verdict::kTold:
      break;
  }
  return "·";
}

std::string Value(double value, Unit unit) {
  if (unit == Unit::kRatio) {
    char text[64];
    std::snprintf(text, sizeof text, "%.4f", value);
    return text;
  }
  // Whole numbers, exact up to 2^53.
  const auto whole = static_cast<std::uint64_t>(std::llround(std::abs(value)));
  return (value < 0 ? "-" : "") + ReadableCount(whole);
}

std::string Change(const ComparedMetric& metric) {
  const double growth = metric.now - metric.base;
  if (growth == 0) return "0";
  const std::string by =
      (growth > 0 ? "+" : "") + Value(growth, metric.kind.unit);
  if (metric.base == 0) return by;
  char text[32];
  const double percent = 100 * growth / std::abs(metric.base);
  std::snprintf(text, sizeof text, "%+.1f %%", percent);
  // A change that rounds to nothing is still a change.
  return std::abs(percent) < 0.05 ? by : text;
}

std::string VerdictCell(const ComparedMetric& metric) {
  std::string cell(NameOf(metric.verdict));
  if (metric.verdict == Verdict::kInconclusive) {
    cell += ": " + metric.why;
    return metric.detail.empty() ? cell : cell + " (" + metric.detail + ")";
  }
  if (!metric.detail.empty()) return cell + " (" + metric.detail + ")";
  if (metric.certainty == Certainty::kMeasured) {
    return cell + " (measured, range " +
           Value(metric.allowed, metric.kind.unit) + ")";
  }
  if (metric.allowed != 0) {
    cell += " (budget +" + Value(metric.allowed, metric.kind.unit) + ")";
  }
  return cell;
}

std::vector<Row> Rows(const Comparison& comparison, bool all) {
  std::vector<Row> rows;
  for (const Verdict verdict :
       {Verdict::kRegression, Verdict::kInconclusive, Verdict::kImprovement,
        Verdict::kTold, Verdict::kUnchanged}) {
    if (verdict == Verdict::kUnchanged && !all) continue;
    for (const ComparedMetric& metric : comparison.metrics) {
      if (metric.verdict != verdict) continue;
      rows.push_back({Mark(verdict), std::string(metric.kind.name),
                      metric.allocator, Value(metric.base, metric.kind.unit),
                      Value(metric.now, metric.kind.unit), Change(metric),
                      VerdictCell(metric)});
    }
  }
  return rows;
}

constexpr std::array<std::string_view, kColumns> kHead{
    "", "metric", "allocator", "base", "new", "change", "verdict"};

std::string Headline(const Comparison& comparison) {
  const auto part = [&](Verdict verdict, const char* one, const char* more) {
    const int n = comparison.Count(verdict);
    return std::to_string(n) + " " + (n == 1 ? one : more);
  };
  return part(Verdict::kRegression, "regression", "regressions") + ", " +
         part(Verdict::kImprovement, "improvement", "improvements") + ", " +
         part(Verdict::kUnchanged, "unchanged", "unchanged") + ", " +
         part(Verdict::kInconclusive, "inconclusive", "inconclusive") +
         (comparison.missing == 0
              ? ""
              : ", " + std::to_string(comparison.missing) + " missing");
}

// Columns on a terminal: one for each code point of what we print.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Padded(std::string_view text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, Width(text)), ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

bool IsNumber(std::size_t column) {
  return column >= kFirstNumber && column <= kLastNumber;
}

// Inside a table's cell a bar would end it.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

}  // namespace

std::string ComparisonText(const Comparison& comparison, bool all) {
  std::string text = Headline(comparison) + "\n  base  " +
                     comparison.base_file + "\n  new   " + comparison.new_file +
                     "\n  trace " + comparison.trace + "\n";
  const std::vector<Row> rows = Rows(comparison, all);
  if (!rows.empty()) {
    std::array<std::size_t, kColumns> widths{};
    for (std::size_t c = 0; c < kColumns; ++c) {
      widths[c] = Width(kHead[c]);
      for (const Row& row : rows)
        widths[c] = std::max(widths[c], Width(row[c]));
    }
    const auto line = [&](const auto& row) {
      std::string out;
      for (std::size_t c = 0; c < kColumns; ++c) {
        out += c == 0 ? "" : "  ";
        out += c + 1 == kColumns ? std::string(row[c])
                                 : Padded(row[c], widths[c], IsNumber(c));
      }
      return out + "\n";
    };
    text += "\n" + line(kHead);
    for (const Row& row : rows) text += line(row);
  }
  for (const std::string& note : comparison.notes)
    text += "note: " + note + "\n";
  return text;
}

std::string ComparisonMarkdown(const Comparison& comparison, bool all) {
  std::string text;
  switch (comparison.verdict()) {
    case Verdict::kRegression:
      text = "### ❌ ";
      break;
    case Verdict::kInconclusive:
      text = "### ❔ ";
      break;
    default:
      text = "### ✅ ";
      break;
  }
  text += "arenalab: " + Headline(comparison) + "\n\n`" + comparison.trace +
          "`\n\n";
  const std::vector<Row> rows = Rows(comparison, all);
  std::size_t cut = 0;
  if (!rows.empty()) {
    text += "|";
    for (const std::string_view head : kHead) {
      text += " " + std::string(head) + " |";
    }
    text += "\n|";
    for (std::size_t c = 0; c < kColumns; ++c) {
      text += IsNumber(c) ? "--:|" : "--|";
    }
    text += "\n";
    for (const Row& row : rows) {
      std::string line = "|";
      for (const std::string& cell : row) line += " " + Escaped(cell) + " |";
      // The notes are short; a tenth is room enough for them.
      if (text.size() + line.size() > kMostMarkdownBytes / 10 * 9) {
        ++cut;
      } else {
        text += line + "\n";
      }
    }
    text += "\n";
  }
  if (cut != 0) {
    text += std::to_string(cut) +
            " more rows were cut; `--format json` has "
            "them.\n\n";
  }
  for (const std::string& note : comparison.notes) {
    if (text.size() + note.size() + 3 > kMostMarkdownBytes) break;
    text += "* " + note + "\n";
  }
  return text;
}

std::string ComparisonJson(const Comparison& comparison) {
  static constexpr std::array<const char*, 3> kCertainty{"exact", "measured",
                                                         "timed"};
  static constexpr std::array<const char*, 3> kUnit{"bytes", "count", "ratio"};
  ordered_json json;
  json["schema"] = "arenalab.compare/1";
  json["verdict"] = NameOf(comparison.verdict());
  json["base"] = comparison.base_file;
  json["new"] = comparison.new_file;
  json["trace"] = comparison.trace;
  json["same_trace"] = comparison.same_trace;
  json["missing"] = comparison.missing;
  for (const Verdict verdict :
       {Verdict::kRegression, Verdict::kImprovement, Verdict::kInconclusive,
        Verdict::kUnchanged, Verdict::kTold}) {
    json["counts"][std::string(NameOf(verdict))] = comparison.Count(verdict);
  }
  json["metrics"] = ordered_json::array();
  for (const ComparedMetric& metric : comparison.metrics) {
    ordered_json row;
    row["allocator"] = metric.allocator;
    row["metric"] = metric.kind.name;
    row["unit"] = kUnit[static_cast<std::size_t>(metric.kind.unit)];
    row["certainty"] = kCertainty[static_cast<std::size_t>(metric.certainty)];
    row["base"] = metric.base;
    row["new"] = metric.now;
    row["allowed_growth"] = metric.allowed;
    row["verdict"] = NameOf(metric.verdict);
    row["why"] =
        metric.why.empty() ? ordered_json(nullptr) : ordered_json(metric.why);
    row["detail"] = metric.detail.empty() ? ordered_json(nullptr)
                                          : ordered_json(metric.detail);
    json["metrics"].push_back(std::move(row));
  }
  json["notes"] = comparison.notes;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace arenalab
