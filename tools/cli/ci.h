// `arenalab ci`: the gate of continuous integration, from arenalab.toml.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddCi(CommandLine& line);

}  // namespace arenalab
