// What may help a Python program that holds too much memory: settings and
// allocators that anybody can try, each with the line to copy.
//
// The first is the program as it is. gc.freeze() before a fork is among them
// where the program forks.
#pragma once

#include <string>
#include <vector>

#include "tools/exec/arm.h"
#include "tools/exec/arms.h"

namespace arenalab {

// `startup` is a folder with a sitecustomize.py that freezes before a fork, ""
// where the program does not fork.
std::vector<Arm> Remedies(const std::string& startup);

// The text of that sitecustomize.py.
inline constexpr char kFreezeBeforeFork[] =
    "import gc, os\n"
    "os.register_at_fork(before=lambda: (gc.collect(), gc.freeze()))\n";

// MiB saved at peak, last valley and end, CPU ratio with interval, and then the
// lines to copy of those that save something.
std::string RemedyTable(const ArmComparison& comparison,
                        const std::vector<std::string>& command);

}  // namespace arenalab
