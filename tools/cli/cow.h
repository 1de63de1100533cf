// `arenalab cow -- CMD`: what forked children copy of their parent's memory.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddCow(CommandLine& line);

}  // namespace arenalab
