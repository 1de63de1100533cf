// From a results file to the report: one HTML page that needs nothing else.
//
// What can be read without JavaScript and on paper is written here: verdict,
// warnings, tables, a chart, provenance. The script in the page adds what
// moves. Both read the same file; neither computes what the file already holds.
//
// THREADS. No state; any. ERRORS. InputError when the page was not built, and
// when `results` is not of schema arenalab.results/1 (tools/replay/RESULTS.md).
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace arenalab {

struct ReportOptions {
  // Leaves out the time of writing: equal results give equal bytes.
  bool reproducible = false;
  // A page that would be larger leaves out the other allocators' maps, the list
  // of objects, then the maps, and says so. 0: no limit.
  std::size_t most_bytes = std::size_t{32} << 20;
};

// The page. Returns UTF-8, about the size of the results plus 150 kB.
std::string RenderReport(const nlohmann::json& results,
                         const ReportOptions& options);

// What `arenalab inspect --json` wrote, as a page without a script. Throws
// InputError if it is something else.
bool IsInspection(const nlohmann::json& json);
std::string RenderInspection(const nlohmann::json& inspection);

}  // namespace arenalab
