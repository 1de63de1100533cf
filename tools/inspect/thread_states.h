// The interpreter's own list of threads, by interpreter, where it says where it
// keeps it: 3.13 does, in the table that _PyRuntime begins with.
//
// SOURCE: struct _Py_DebugOffsets of Include/internal/pycore_runtime.h, 3.13.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/inspect/target_memory.h"

namespace arenalab {

struct ThreadState {
  std::int64_t interpreter = 0;  // its id: 0 is the main one
  std::uint64_t native_id = 0;   // of the system: gettid()
  bool runs_python = false;      // it has a frame
};

// nullopt: another release, or the table was not found.
std::optional<std::vector<ThreadState>> FindThreadStates(TargetMemory& memory);

}  // namespace arenalab
