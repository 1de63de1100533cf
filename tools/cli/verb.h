// How a verb of the command line plugs into main(): one Add function per verb
// and file, listed in main.cc. It declares the verb (command_line.h shows how)
// and what does its work, which returns the exit status.
//
// Exit statuses are those of `arenalab help exit-codes`: 2 usage and 3 bad
// input everywhere (main maps UsageError and InputError to them), the others as
// each verb documents. stdout is data, stderr everything else.
#pragma once

#include "tools/cli/command_line.h"

namespace arenalab {

enum ExitStatus : int {
  kOk = 0,
  kDifferent = 1,  // verify: mismatch; lint: illegal; compare: regression
  kUsage = 2,
  kBadInput = 3,  // verify also: cannot verify
  kInconclusive = 4,
  kOursFailed = 125,  // record, run, exec: nothing recorded, or ours failed
};

}  // namespace arenalab
