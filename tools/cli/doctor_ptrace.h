// Which processes `arenalab inspect` may read here.
//
// SOURCE: Documentation/admin-guide/LSM/Yama.rst of the kernel,
// capabilities(7).
#pragma once

#include <string>

#include "tools/cli/doctor_finding.h"

namespace arenalab {

// `scope`: what /proc/sys/kernel/yama/ptrace_scope holds, empty if it is not
// there. `capabilities`: CapEff of /proc/self/status, hexadecimal.
Finding PtraceFinding(const std::string& scope,
                      const std::string& capabilities);

}  // namespace arenalab
