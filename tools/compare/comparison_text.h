// A Comparison in words: for a terminal, for a pull request, for a program. All
// three say the same; the first line is the verdict.
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace arenalab {

// `all`: also the metrics that did not change.
std::string ComparisonText(const Comparison& comparison, bool all);
// GitHub's Markdown, as for $GITHUB_STEP_SUMMARY. Below kMostMarkdownBytes:
// rows are cut before the verdict is.
std::string ComparisonMarkdown(const Comparison& comparison, bool all);
// Schema `arenalab.compare/1`: every metric, changed or not.
std::string ComparisonJson(const Comparison& comparison);

// GitHub drops a step's summary over 1 MiB, and a comment over 65,536
// characters; one text serves both.
inline constexpr std::size_t kMostMarkdownBytes = 60'000;

}  // namespace arenalab
