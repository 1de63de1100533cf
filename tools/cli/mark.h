// `arenalab mark`: a mark in the trace of a process that is being recorded.
#pragma once

#include "tools/cli/verb.h"

namespace arenalab {

void AddMark(CommandLine& line);

}  // namespace arenalab
