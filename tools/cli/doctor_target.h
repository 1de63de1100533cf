// Examines a command that someone wants to record: is there a CPython at its
// end, will the recorder be loaded into it, and does pymalloc serve it?
//
// It follows scripts and shell shims to the interpreter and asks that one about
// itself (a second or so; the command itself is not run).
#pragma once

#include <string>
#include <vector>

#include "tools/cli/doctor_finding.h"

namespace arenalab {

// `command` as execvp would take it; not empty.
Findings ExamineTarget(const std::vector<std::string>& command);

}  // namespace arenalab
