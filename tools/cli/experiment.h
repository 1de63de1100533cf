// `arenalab experiment NAME`: published experiments on the small-object
// allocator, made again on the clone and on real interpreters.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddExperiment(CommandLine& line);

}  // namespace arenalab
