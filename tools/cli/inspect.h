// `arenalab inspect PID`: the memory of a running process, read from outside.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddInspect(CommandLine& line);

}  // namespace arenalab
