// `arenalab bench`: the workloads with threads on every allocator.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddBench(CommandLine& line);

}  // namespace arenalab
