// One finding of `arenalab doctor`: what is so, what follows from it, and what
// to do. Both parts of the doctor make lists of these.
#pragma once

#include <string>
#include <vector>

namespace arenalab {

enum class Severity {
  kFine,
  kNote,  // good to know; nothing is lost without it
  kBad,   // something does not work, or a result would mislead
};

struct Finding {
  Severity severity;
  std::string id;       // stable, for --json: "python-malloc"
  std::string verdict;  // one line
  std::string cause;    // why that matters; "" where it is fine
  std::string fix;      // a command or an action; "" where there is none
};

using Findings = std::vector<Finding>;

}  // namespace arenalab
