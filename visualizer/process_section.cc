// A run of many processes: who started whom, what they used over time, stacked,
// the pages of their own beside their part of shared ones, and the way to each
// one's map. Drawn here: it needs no script and prints.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 260;
constexpr double kLeft = 80;
constexpr double kRight = 12;
constexpr double kTop = 14;
constexpr double kBottom = 24;
// Drawn one by one; the smaller ones together.
constexpr std::size_t kDrawn = 6;
// As visualizer/src/palette.js has them.
constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#56b4e9", "#e69f00", "#8c8c8c"};

using Json = nlohmann::json;
using Series = std::vector<double>;

Series SeriesOf(const Json& values) {
  Series series;
  for (const Json& value : values)
    series.push_back(value.is_number() ? value.get<double>() : 0);
  return series;
}

void Add(Series* to, const Series& from) {
  if (to->size() < from.size()) to->resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) (*to)[i] += from[i];
}

double NumberOf(const Json& value) {
  return value.is_number() ? value.get<double>() : 0;
}

struct Band {
  Series own;    // private pages
  Series share;  // its part of shared ones
};

// Which colour a member has: the largest have one each.
std::vector<std::size_t> ColorsOf(const Json& members) {
  std::vector<std::size_t> order(members.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return NumberOf(At(members[a], "peak_pss_bytes")) >
                            NumberOf(At(members[b], "peak_pss_bytes"));
                   });
  std::vector<std::size_t> colors(members.size(), kDrawn);
  for (std::size_t rank = 0; rank < std::min(kDrawn, order.size()); ++rank)
    colors[order[rank]] = rank;
  return colors;
}

std::string Area(const Series& below, const Series& above, double top) {
  std::string points;
  const auto append = [&](std::size_t i, double value) {
    char point[48];
    std::snprintf(point, sizeof point, "%.1f,%.1f ",
                  kLeft + (kWidth - kLeft - kRight) * static_cast<double>(i) /
                              static_cast<double>(
                                  std::max<std::size_t>(1, above.size() - 1)),
                  kHeight - kBottom - (kHeight - kTop - kBottom) * value / top);
    points += point;
  };
  for (std::size_t i = 0; i < above.size(); ++i) append(i, above[i]);
  for (std::size_t i = above.size(); i-- > 0;) append(i, below[i]);
  return points;
}

std::string SecondsOf(double ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", ns / 1e9);
  return text;
}

std::string Chart(const Json& processes,
                  const std::vector<std::size_t>& color) {
  const Json& members = At(processes, "members");
  std::vector<Band> bands(kDrawn + 1);
  std::size_t points = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Series pss = SeriesOf(At(members[i], "pss_bytes"));
    const Series own = SeriesOf(At(members[i], "private_bytes"));
    Series share(pss.size());
    for (std::size_t k = 0; k < std::min(pss.size(), own.size()); ++k)
      share[k] = std::max(0.0, pss[k] - own[k]);
    Add(&bands[color[i]].own, own);
    Add(&bands[color[i]].share, share);
    points = std::max(points, pss.size());
  }
  const double top = std::max(1.0, NumberOf(At(processes, "peak_pss_bytes")));
  char text[320];
  std::snprintf(text, sizeof text,
                "<figure class=\"static processes\"><svg viewBox=\"0 0 %.0f "
                "%.0f\" role=\"img\" aria-label=\"Pss of the processes over "
                "time, stacked\">",
                kWidth, kHeight);
  std::string out = text;
  for (int i = 0; i <= 4; ++i) {
    const double y = kHeight - kBottom - (kHeight - kTop - kBottom) * i / 4.0;
    std::snprintf(text, sizeof text,
                  "<line class=\"axis\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" "
                  "y2=\"%.1f\"/><text x=\"%.0f\" y=\"%.1f\" "
                  "text-anchor=\"end\">%s</text>",
                  kLeft, kWidth - kRight, y, y, kLeft - 8, y + 4,
                  FormatBytes(top * i / 4).c_str());
    out += text;
  }
  Series below(points);
  for (std::size_t n = 0; n < bands.size(); ++n) {
    for (const bool own : {true, false}) {
      const Series& series = own ? bands[n].own : bands[n].share;
      if (series.empty()) continue;
      Series above = below;
      Add(&above, series);
      std::snprintf(text, sizeof text,
                    "<polygon fill=\"%s\" fill-opacity=\"%s\" stroke=\"%s\" "
                    "stroke-width=\"0.5\" points=\"",
                    kColors[n], own ? "0.9" : "0.35", kColors[n]);
      out += text + Area(below, above, top) + "\"/>";
      below = std::move(above);
    }
  }
  std::snprintf(
      text, sizeof text,
      "<text x=\"%.0f\" y=\"%.0f\">0</text><text x=\"%.0f\" y=\"%.0f\" "
      "text-anchor=\"end\">%s</text>",
      kLeft, kHeight - 6, kWidth - kRight, kHeight - 6,
      SecondsOf(NumberOf(At(processes, "duration_ns"))).c_str());
  return out + text +
         "</svg><figcaption class=\"help\">Pss of each process, one upon the "
         "other: a page that n processes have counts 1/n in each, so the top "
         "is what they use together. Strong: private pages. Pale: the "
         "process’s part of shared ones.</figcaption></figure>\n";
}

// A file name in a link.
std::string LinkTo(const std::string& file) {
  std::string out;
  for (const char c : file) {
    if (c == '%' || c == '#' || c == '?' || c == ':' || c == ' ') {
      char text[4];
      std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned char>(c));
      out += text;
    } else {
      out += c;
    }
  }
  return Escape(out);
}

std::string MapOf(const Json& member) {
  if (At(member, "is_this") == Json(true))
    return "<a href=\"#heap\">map, below</a>";
  if (const Json& page = At(member, "page"); page.is_string())
    return "<a href=\"" + LinkTo(TextOf(page)) + "#heap\">map</a>";
  return "<code>arenalab report " + Escape(TextOf(At(member, "file"))) +
         "</code>";
}

std::string Rows(const Json& processes, const std::vector<std::size_t>& color) {
  const Json& members = At(processes, "members");
  const Json& worst = At(processes, "worst");
  std::string out;
  std::vector<bool> shown(members.size());
  const std::function<void(std::size_t, std::size_t)> row =
      [&](std::size_t i, std::size_t depth) {
        if (shown[i]) return;
        shown[i] = true;
        const Json& member = members[i];
        char chip[160];
        std::snprintf(chip, sizeof chip,
                      "<svg class=\"swatch\" viewBox=\"0 0 10 10\" "
                      "aria-hidden=\"true\"><rect width=\"10\" height=\"10\" "
                      "fill=\"%s\"/></svg>",
                      kColors[color[i]]);
        std::string indent;
        for (std::size_t k = 1; k < depth; ++k) indent += "\u2003";
        if (depth > 0) indent += "\u2514\u2002";
        out += "<tr><th scope=\"row\">" + indent + chip + " " +
               TextOf(At(member, "process")) +
               (worst == Json(i) ? " <b>worst</b>" : "") + "</th><td>" +
               (At(member, "forked") == Json(true)
                    ? std::string("forked")
                    : Escape(TextOf(At(member, "program"))).substr(0, 80)) +
               "</td><td>" + SecondsOf(NumberOf(At(member, "began_ns"))) +
               "</td><td>" + BytesOf(At(member, "peak_pss_bytes")) +
               "</td><td>" + BytesOf(At(member, "peak_private_bytes")) +
               "</td><td>" + CountOf(At(member, "requests")) + "</td><td>" +
               MapOf(member) + "</td></tr>\n";
        for (std::size_t k = 0; k < members.size(); ++k) {
          if (At(members[k], "parent_process") == At(member, "process"))
            row(k, depth + 1);
        }
      };
  // Those whose parent is no member first: the roots.
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool has_parent =
        std::any_of(members.begin(), members.end(), [&](const Json& other) {
          return At(other, "process") == At(members[i], "parent_process");
        });
    if (!has_parent) row(i, 0);
  }
  for (std::size_t i = 0; i < members.size(); ++i) row(i, 0);
  return out;
}

}  // namespace

std::string ProcessSection(const nlohmann::json& results) {
  const Json& processes = At(results, "processes");
  if (!At(processes, "members").is_array()) return "";
  const std::vector<std::size_t> color = ColorsOf(At(processes, "members"));
  return "<section id=\"processes\" aria-labelledby=\"processes-title\">\n"
         "<h2 id=\"processes-title\">The processes of this run <span "
         "class=\"label-chip\">recorded</span></h2>\n<p>" +
         Escape(TextOf(At(processes, "words"))) + "</p>\n" +
         (NumberOf(At(processes, "peak_pss_bytes")) > 0
              ? Chart(processes, color)
              : std::string()) +
         "<div class=\"wide-table\" tabindex=\"0\" role=\"region\" "
         "aria-labelledby=\"processes-title\"><table class=\"processes\">"
         "<thead><tr><th "
         "scope=\"col\">process</th><th scope=\"col\">program</th><th "
         "scope=\"col\">began</th><th scope=\"col\">most Pss</th><th "
         "scope=\"col\">most private</th><th scope=\"col\">requests</th><th "
         "scope=\"col\">what is inside</th></tr></thead>\n<tbody>" +
         Rows(processes, color) +
         "</tbody></table></div>\n<p class=\"help\">Private pages are what a "
         "process costs on its own: new ones, and those that it copied by "
         "writing to them after the fork (<code>arenalab cow</code> says "
         "why).</p>\n</section>";
}

}  // namespace arenalab
