// Examines what is around a recording and a replay: the environment, the files
// that belong to this program, room on disk and in shared memory, and settings
// of the kernel that change what is measured.
#pragma once

#include <string>

#include "tools/cli/doctor_finding.h"

namespace arenalab {

// `folder` is where traces are to be written. Starts each replay worker once.
Findings ExamineMachine(const std::string& folder);

}  // namespace arenalab
