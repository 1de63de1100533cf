// `arenalab report`: a results file as one offline HTML page.
#pragma once

#include <CLI/CLI.hpp>

namespace arenalab {

// RESULTS (or - for stdin), -o FILE (or - for stdout), -f, --reproducible.
void AddReport(CLI::App& app, int* status);

}  // namespace arenalab
