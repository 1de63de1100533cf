// `arenalab help [TOPIC]`: what the program as a whole does, a verb, a topic.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddHelp(CommandLine& line);

}  // namespace arenalab
