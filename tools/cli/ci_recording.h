// What `arenalab ci` does to a program and to a trace, so that two of them can
// be compared: recorded with hash seed 0 and without address randomisation,
// replayed with arenas at canonical offsets.
//
// Also another state of the repository, checked out beside it.
//
// ERRORS. InputError. THREADS. One; the working directory and the environment
// of this process are changed while a program is recorded.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/ci/config.h"

namespace arenalab {

// Runs the command in `folder`; its standard output goes to stderr. Throws
// where it did not end with 0, or was no Python.
void RecordForCi(const CiProgram& program, const std::string& folder,
                 const std::string& trace);

// A results object. `canonical`: arenas at offset 0, for comparisons of
// different traces.
nlohmann::ordered_json ReplayForCi(const CiConfig& config,
                                   const std::string& trace,
                                   const std::string& allocators, int rounds,
                                   bool canonical);

// A git worktree of REF, which goes away with this object.
class CheckedOut {
 public:
  explicit CheckedOut(const std::string& ref);
  ~CheckedOut();
  CheckedOut(const CheckedOut&) = delete;
  CheckedOut& operator=(const CheckedOut&) = delete;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

}  // namespace arenalab
