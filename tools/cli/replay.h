// `arenalab replay`: one recording, every allocator.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddReplay(CLI::App& app, int* status);

}  // namespace arenalab
