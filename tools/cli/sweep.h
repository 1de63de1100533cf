// `arenalab sweep`: many pymallocs under the same recordings.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddSweep(CommandLine& line);

}  // namespace arenalab
