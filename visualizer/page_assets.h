// The page without its data, as built from page.html, src/ and uPlot. What is
// left to fill are {{NAMES}} in capitals (visualizer/report.cc).
#pragma once

#include <string_view>

namespace arenalab {

// Empty when the build found no npm packages: the page was not built.
extern const std::string_view kPageTemplate;

}  // namespace arenalab
