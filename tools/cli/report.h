// `arenalab report`: a results file as one offline HTML page.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/cli/verb.h"
#include "visualizer/report.h"

namespace arenalab {

// Renders and writes the page; "-" is stdout. Throws InputError when it exists
// and is not to be replaced, cannot be written, or `results` (which came from
// `source`, for the message) is not a results object.
void WriteReport(const nlohmann::json& results, const std::string& source,
                 const std::string& path, bool force,
                 const ReportOptions& options);

// Of a run of many processes: names in its results the pages of the others that
// lie beside `page`, as arenalab names them, and `also`, which is about to.
void LinkPages(nlohmann::ordered_json* results, const std::string& page,
               const std::string& also);

// RESULTS (or - for stdin), -o FILE (or - for stdout), -f, --reproducible.
void AddReport(CommandLine& line);

}  // namespace arenalab
