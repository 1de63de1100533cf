// `arenalab workers -- python3 app.py`: one program in N workers of each model.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddWorkers(CommandLine& line);

}  // namespace arenalab
