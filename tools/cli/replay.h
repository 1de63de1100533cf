// `arenalab replay`: one recording, every allocator.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/cli/verb.h"
#include "tools/replay/replay.h"

namespace arenalab {

// Replay() as a verb does it: the command line goes into the results, progress
// and the trace's warnings to stderr. Sets what of `request` concerns these.
nlohmann::ordered_json ReplayForPeople(ReplayRequest request);

void AddReplay(CommandLine& line);

}  // namespace arenalab
