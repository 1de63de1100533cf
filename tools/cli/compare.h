// `arenalab compare`: two results files (tools/compare), for people and gates.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddCompare(CommandLine& line);

}  // namespace arenalab
