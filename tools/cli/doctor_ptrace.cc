// What yama's ptrace_scope and this process's capabilities allow together.
#include "tools/cli/doctor_ptrace.h"

#include <cstdlib>

namespace arenalab {

Finding PtraceFinding(const std::string& scope,
                      const std::string& capabilities) {
  constexpr int kSysPtrace = 19;  // capabilities(7)
  const bool may_all =
      (std::strtoull(capabilities.c_str(), nullptr, 16) >> kSysPtrace & 1) != 0;
  const std::string id = "ptrace-scope";
  const std::string is = "kernel.yama.ptrace_scope is " + scope;
  // 3 is for everyone, and for as long as the machine runs.
  if (scope == "3")
    return {Severity::kBad, id, is + ": no process may look into another",
            "`arenalab inspect` works on core files only",
            "boot with another value: it cannot be lowered"};
  if (may_all)
    return {Severity::kFine, id,
            "CAP_SYS_PTRACE is there: `arenalab inspect` may read every "
            "process",
            "", ""};
  if (scope == "2")
    return {Severity::kBad, id, is + " and CAP_SYS_PTRACE is missing",
            "`arenalab inspect` may read no process",
            "sudo arenalab inspect PID; in a container docker run "
            "--cap-add=SYS_PTRACE"};
  if (scope == "1")
    return {Severity::kNote, id, is + " and CAP_SYS_PTRACE is missing",
            "`arenalab inspect` may read only its own children, not your "
            "other processes",
            "sudo arenalab inspect PID, or sysctl kernel.yama.ptrace_scope=0; "
            "in a container docker run --cap-add=SYS_PTRACE"};
  return {Severity::kFine, id,
          "`arenalab inspect` may read processes of this user; others' need "
          "CAP_SYS_PTRACE (sudo)",
          "", ""};
}

}  // namespace arenalab
