// An inspection (`arenalab inspect --json`) as a page: no script, no network.
// Its style is the report's own.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

#include "tracer/format/input_error.h"
#include "visualizer/page_assets.h"
#include "visualizer/quantity.h"
#include "visualizer/report.h"

namespace arenalab {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRowsShown = 25;
constexpr std::size_t kArenasDrawn = 4096;

double NumberOf(const Json& value) {
  return value.is_number() ? value.get<double>() : 0;
}

std::string Percent(double part, double whole) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%",
                whole > 0 ? 100 * part / whole : 0.0);
  return text;
}

// The report's own style sheet; empty where the page was not built.
std::string_view Style() {
  const std::size_t begin = kPageTemplate.find("<style>");
  const std::size_t end = kPageTemplate.find("</style>");
  if (begin == std::string_view::npos || end == std::string_view::npos)
    return "";
  return kPageTemplate.substr(begin + 7, end - begin - 7);
}

struct Part {
  std::string label;
  double bytes;
};

// A table with a bar for each part.
std::string PartsTable(const char* caption, const std::vector<Part>& parts,
                       double whole) {
  std::string html =
      std::string("<table><caption>") + caption + "</caption><tbody>";
  for (const Part& part : parts) {
    char width[32];
    std::snprintf(
        width, sizeof(width), "%.2f%%",
        whole > 0 ? std::clamp(100 * part.bytes / whole, 0.0, 100.0) : 0.0);
    html += "<tr><th scope=\"row\">" + Escape(part.label) +
            "</th><td class=\"number\">" + FormatBytes(part.bytes) +
            "</td><td class=\"number\">" + Percent(part.bytes, whole) +
            "</td><td class=\"bar\"><span style=\"width:" + width +
            "\"></span></td></tr>";
  }
  return html + "</tbody></table>";
}

std::string WhoseSection(const Json& inspection) {
  const Json& whose = At(inspection, "whose");
  if (!whose.is_object())
    return "<section><h2>Whose memory</h2><p>A core file does not say what was "
           "resident.</p></section>";
  std::vector<Part> parts;
  for (const Json& row : At(whose, "rows"))
    parts.push_back({TextOf(At(row, "label")), NumberOf(At(row, "rss_bytes"))});
  std::string html = "<section><h2>Whose memory</h2>" +
                     PartsTable("Resident bytes, which sum to the kernel's Rss",
                                parts, NumberOf(At(whose, "rss_bytes"))) +
                     "<p>Rss " + BytesOf(At(whose, "rss_bytes")) +
                     ", shared fairly (Pss) " +
                     BytesOf(At(whose, "pss_bytes")) + ", swapped out " +
                     BytesOf(At(whose, "swap_bytes")) + ".</p>";
  const Json& arenas = At(inspection, "c_arenas");
  if (arenas.is_array() && !arenas.empty()) {
    html +=
        "<table><caption>The C library's arenas</caption><thead><tr>"
        "<th>arena</th><th>heaps</th><th>live</th><th>free</th>"
        "<th>malloc_trim(0)</th></tr></thead><tbody>";
    std::size_t shown = 0;
    for (const Json& arena : arenas) {
      if (++shown > kRowsShown) break;
      char name[32] = "main";
      if (const double record = NumberOf(At(arena, "record")); record != 0)
        std::snprintf(name, sizeof(name), "%#llx",
                      static_cast<unsigned long long>(record));
      html += std::string("<tr><th scope=\"row\">") + name +
              "</th><td class=\"number\">" + CountOf(At(arena, "heaps")) +
              "</td><td class=\"number\">" + BytesOf(At(arena, "live_bytes")) +
              "</td><td class=\"number\">" + BytesOf(At(arena, "free_bytes")) +
              "</td><td class=\"number\">" +
              BytesOf(At(arena, "trimmable_bytes")) + "</td></tr>";
    }
    html += "</tbody></table>";
  }
  return html + "</section>";
}

// One cell an arena, the nearest to its release first: the fuller the darker.
std::string ArenasPicture(const Json& heap) {
  const Json& list = At(heap, "arena_list");
  const double arena_bytes = NumberOf(At(At(heap, "geometry"), "arena_bytes"));
  if (!list.is_array() || list.empty() || arena_bytes <= 0) return "";
  std::vector<std::pair<double, double>> arenas;  // live blocks, bytes
  for (const Json& arena : list)
    arenas.emplace_back(NumberOf(At(arena, "live_blocks")),
                        NumberOf(At(arena, "live_bytes")));
  std::sort(arenas.begin(), arenas.end());
  const std::size_t drawn = std::min(arenas.size(), kArenasDrawn);
  constexpr int kColumns = 64, kCell = 12;
  const int rows = static_cast<int>((drawn + kColumns - 1) / kColumns);
  std::string svg =
      "<svg role=\"img\" aria-label=\"Arenas by live blocks\" viewBox=\"0 0 " +
      std::to_string(kColumns * kCell) + " " + std::to_string(rows * kCell) +
      "\" class=\"arenas\">";
  for (std::size_t i = 0; i < drawn; ++i) {
    char cell[256];
    std::snprintf(
        cell, sizeof(cell),
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
        "fill-opacity=\"%.2f\"><title>%.0f live blocks, %s</title></rect>",
        static_cast<int>(i % kColumns) * kCell,
        static_cast<int>(i / kColumns) * kCell, kCell - 2, kCell - 2,
        std::clamp(arenas[i].second / arena_bytes, 0.03, 1.0), arenas[i].first,
        FormatBytes(arenas[i].second).c_str());
    svg += cell;
  }
  return svg +
         "</svg><p>One cell an arena, fewest live blocks first; the "
         "darker, the more of it is live." +
         (drawn < arenas.size()
              ? " The first " + FormatCount(kArenasDrawn) + " are drawn."
              : std::string()) +
         "</p>";
}

std::string AwayTable(const Json& heap) {
  const Json& away = At(heap, "blocks_away");
  if (!away.is_array()) return "";
  const double arena_bytes = NumberOf(At(At(heap, "geometry"), "arena_bytes"));
  std::string html =
      "<table><caption>Blocks away from release</caption><thead><tr>"
      "<th>live blocks</th><th>arenas</th><th>bytes</th></tr></thead><tbody>";
  for (const Json& row : away) {
    const double least = NumberOf(At(row, "least"));
    const double most = NumberOf(At(row, "most"));
    char range[64];
    if (most > 1e15)
      std::snprintf(range, sizeof(range), "%.0f or more", least);
    else if (most == least)
      std::snprintf(range, sizeof(range), "%.0f", least);
    else
      std::snprintf(range, sizeof(range), "%.0f to %.0f", least, most);
    html += std::string("<tr><th scope=\"row\">") + range +
            "</th><td class=\"number\">" + CountOf(At(row, "arenas")) +
            "</td><td class=\"number\">" +
            FormatBytes(NumberOf(At(row, "arenas")) * arena_bytes) +
            "</td></tr>";
  }
  return html + "</tbody></table>";
}

std::string BlocksTable(const Json& rows, const char* caption) {
  if (!rows.is_array()) return "";
  std::string html =
      std::string("<table><caption>") + caption +
      "</caption><thead><tr><th></th><th>blocks</th><th>bytes</th>"
      "<th>pinners</th></tr></thead><tbody>";
  std::size_t shown = 0;
  for (const Json& row : rows) {
    if (++shown > kRowsShown) break;
    html += "<tr><th scope=\"row\">" + Escape(TextOf(At(row, "name"))) +
            "</th><td class=\"number\">" + CountOf(At(row, "blocks")) +
            "</td><td class=\"number\">" + BytesOf(At(row, "bytes")) +
            "</td><td class=\"number\">" + CountOf(At(row, "pinners")) +
            "</td></tr>";
  }
  html += "</tbody></table>";
  if (rows.size() > kRowsShown)
    html += "<p>" +
            FormatCount(static_cast<std::int64_t>(rows.size() - kRowsShown)) +
            " more are in the JSON.</p>";
  return html;
}

std::string HeapSection(const Json& heap, std::size_t number,
                        std::size_t heaps) {
  const Json& waterfall = At(heap, "waterfall");
  std::vector<Part> parts;
  constexpr std::pair<const char*, const char*> kParts[] = {
      {"live_blocks", "live blocks"}, {"pool_headers", "pool headers"},
      {"pool_tails", "pool tails"},   {"free_blocks", "free blocks"},
      {"free_pools", "free pools"},   {"arena_rest", "arena rest"}};
  for (const auto& [key, label] : kParts)
    parts.push_back({label, NumberOf(At(waterfall, key))});
  std::string title = "pymalloc";
  if (heaps > 1)
    title += ", interpreter " + std::to_string(number + 1) + " of " +
             std::to_string(heaps);
  return "<section><h2>" + title + "</h2>" +
         PartsTable("Where every byte of the arenas goes", parts,
                    NumberOf(At(waterfall, "held"))) +
         ArenasPicture(heap) + AwayTable(heap) +
         BlocksTable(At(heap, "owners"), "Live blocks by owner") +
         BlocksTable(At(heap, "types"),
                     "Live blocks by type; pinners lie in the half of the "
                     "arenas with the fewest live blocks") +
         "</section>";
}

}  // namespace

bool IsInspection(const Json& json) {
  return TextOf(At(json, "schema")) == "arenalab.inspect/1";
}

std::string RenderInspection(const Json& inspection) {
  const Json& heaps = At(inspection, "heaps");
  if (!IsInspection(inspection) || !heaps.is_array())
    throw InputError("not what `arenalab inspect --json` writes");
  const std::string target = TextOf(At(inspection, "target"));
  const std::string python = TextOf(At(inspection, "python"));
  std::string html =
      "<!doctype html>\n<!-- An inspection of a process by arenalab; it needs "
      "nothing else. -->\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
      Escape(target) + " · arenalab</title><style>" + std::string(Style()) +
      "td.bar{width:30%}td.bar span{display:block;height:.8em;min-width:1px;"
      "background:var(--accent,#0062a3)}td.number{text-align:right}"
      "svg.arenas{width:100%;max-width:768px;fill:var(--accent,#0062a3)}"
      "table{margin-bottom:1.5em}th{text-align:left}</style></head><body>"
      "<main><header><h1>" +
      Escape(target) + "</h1><p>" +
      (python.empty() ? "" : "Python " + Escape(python) + ", ") +
      "read from outside by arenalab inspect</p></header>"
      "<section id=\"verdict\"><h2>In three sentences</h2>";
  for (const Json& sentence : At(inspection, "verdict"))
    html += "<p>" + Escape(TextOf(sentence)) + "</p>";
  const Json& stop = At(inspection, "standstill");
  if (stop.is_object()) {
    char ms[32];
    std::snprintf(ms, sizeof(ms), "%.1f", NumberOf(At(stop, "milliseconds")));
    html += std::string("<p>It was held still for ") + ms + " ms, in which " +
            BytesOf(At(stop, "bytes")) + " of arenas were read; " +
            BytesOf(At(stop, "bytes_late")) + " after it ran again.</p>";
  }
  html += "</section>" + WhoseSection(inspection);
  for (std::size_t i = 0; i < heaps.size(); ++i)
    html += HeapSection(heaps[i], i, heaps.size());
  return html + "</main></body></html>\n";
}

}  // namespace arenalab
