// `arenalab exec` and `arenalab remedies`: the program itself on other
// allocators and settings, nothing recorded.
#pragma once

#include "tools/cli/command_line.h"

namespace arenalab {

void AddExec(CommandLine& line);
void AddRemedies(CommandLine& line);

}  // namespace arenalab
