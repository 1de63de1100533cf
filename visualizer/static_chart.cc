// Memory over the run as a small drawing in the page itself, for readers
// without JavaScript. The script replaces it by the one that answers.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 260;
constexpr double kLeft = 80;
constexpr double kRight = 130;
constexpr double kTop = 14;
constexpr double kBottom = 24;
constexpr std::size_t kMostPoints = 400;

// As visualizer/src/palette.js draws them.
constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#56b4e9", "#e69f00", "#8c8c8c"};
constexpr const char* kDashes[] = {"",     "9 3", "3 3",        "9 3 2 3",
                                   "14 4", "2 2", "5 2 2 2 2 2"};

double Largest(const nlohmann::json& series) {
  double most = 0;
  for (const nlohmann::json& value : series) {
    if (value.is_number()) most = std::max(most, value.get<double>());
  }
  return most;
}

// Of each group of samples the largest: a peak is never thinned away.
std::string Points(const nlohmann::json& series, double top) {
  const std::size_t n = series.size();
  const std::size_t step = (n + kMostPoints - 1) / kMostPoints;
  std::string out;
  for (std::size_t begin = 0; begin < n; begin += step) {
    double most = 0;
    for (std::size_t i = begin; i < std::min(n, begin + step); ++i) {
      if (series[i].is_number()) most = std::max(most, series[i].get<double>());
    }
    const double span = n > 1 ? static_cast<double>(n - 1) : 1;
    char point[64];
    std::snprintf(
        point, sizeof point, "%.1f,%.1f ",
        kLeft + (kWidth - kLeft - kRight) * static_cast<double>(begin) / span,
        kHeight - kBottom - (kHeight - kTop - kBottom) * most / top);
    out += point;
  }
  return out;
}

}  // namespace

std::string StaticChartSection(const nlohmann::json& results) {
  const nlohmann::json& allocators = At(results, "allocators");
  const nlohmann::json& requested =
      At(At(results, "timeline"), "requested_bytes");
  struct Label {
    double y;
    std::string name;
    std::size_t number;
  };
  double top = std::max(1.0, Largest(requested));
  for (const nlohmann::json& a : allocators) {
    if (TextOf(At(a, "name")) == "bump") continue;
    top = std::max(top, Largest(At(a, "rss_bytes")));
  }
  char text[256];
  std::snprintf(text, sizeof text,
                "<figure class=\"static\"><svg viewBox=\"0 0 %.0f %.0f\" "
                "role=\"img\" aria-label=\"Resident bytes of each allocator "
                "over the run\">",
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
  std::snprintf(text, sizeof text, "%.1f,%.1f %.1f,%.1f", kWidth - kRight,
                kHeight - kBottom, kLeft, kHeight - kBottom);
  out += "<polygon class=\"requested\" points=\"" + Points(requested, top) +
         text + "\"/>";
  std::vector<Label> labels;
  for (std::size_t i = 0; i < allocators.size(); ++i) {
    const nlohmann::json& series = At(allocators[i], "rss_bytes");
    const std::string name = TextOf(At(allocators[i], "name"));
    if (!series.is_array() || series.empty() || name == "bump" ||
        name == "null") {
      continue;
    }
    out += std::string("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"") +
           kColors[i % 7] + "\" stroke-dasharray=\"" + kDashes[i % 7] +
           "\" points=\"" + Points(series, top) + "\"/>";
    const double last =
        series.back().is_number() ? series.back().get<double>() : 0;
    labels.push_back(
        {kHeight - kBottom - (kHeight - kTop - kBottom) * last / top,
         TextOf(At(allocators[i], "spelled")), i});
  }
  // From the lowest upwards, each at least one line above the one before.
  std::sort(labels.begin(), labels.end(),
            [](const Label& a, const Label& b) { return a.y > b.y; });
  double limit = kHeight - kBottom;
  for (const Label& label : labels) {
    const double y = std::min(label.y, limit);
    limit = y - 15;
    std::snprintf(text, sizeof text,
                  "<rect x=\"%.0f\" y=\"%.1f\" width=\"8\" height=\"8\" "
                  "fill=\"%s\"/><text x=\"%.0f\" y=\"%.1f\">",
                  kWidth - kRight + 6, y - 4, kColors[label.number % 7],
                  kWidth - kRight + 18, y + 4);
    out += text + Escape(label.name) + "</text>";
  }
  return out +
         "</svg><figcaption class=\"help\">Resident bytes over the samples of "
         "the run; the grey area is what the program had "
         "requested.</figcaption></figure>";
}

}  // namespace arenalab
