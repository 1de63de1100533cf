// `arenalab threads`: a recording on real threads: throughput, memory, content.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddThreads(CommandLine& line);

}  // namespace arenalab
