// `arenalab trace info|dump|import|lint|trim|anonymise`: a trace file as such.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddTrace(CommandLine& line);

}  // namespace arenalab
