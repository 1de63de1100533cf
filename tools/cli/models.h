// `arenalab models`: CPython's models of concurrency on one recording.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddModels(CommandLine& line);

}  // namespace arenalab
