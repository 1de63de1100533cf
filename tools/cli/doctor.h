// `arenalab doctor`: will it work here, and if not, what to do.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddDoctor(CommandLine& line);

}  // namespace arenalab
