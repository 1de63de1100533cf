// `arenalab run`: record, verify, replay and report in one go.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddRun(CommandLine& line);

}  // namespace arenalab
