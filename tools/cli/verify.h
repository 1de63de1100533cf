// `arenalab verify`: the recording against the clone (tools/verify).
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddVerify(CommandLine& line);

}  // namespace arenalab
