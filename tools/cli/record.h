// `arenalab record`: a command's allocations, into a trace.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddRecord(CLI::App& app, int* status);

}  // namespace arenalab
