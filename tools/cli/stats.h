// `arenalab stats`: a trace or a results file on one screen.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddStats(CommandLine& line);

}  // namespace arenalab
