// How a verb of the command line plugs into main(): one Add function per verb
// and file, listed in main.cc. It makes its subcommand on `app` and gives it a
// callback that does the work and stores the exit status in *status.
//
// Exit statuses are those of `arenalab help exit-codes`: 2 usage and 3 bad
// input everywhere (main maps CLI11's errors and InputError to them), the
// others as each verb documents. stdout is data, stderr everything else.
#pragma once

#include <CLI/CLI.hpp>

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
