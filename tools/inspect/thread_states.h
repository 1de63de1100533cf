// The interpreter's own list of threads, by interpreter.
//
// From 3.13 on _PyRuntime begins with a table of offsets. Before, offsets are
// the release's, and the list is found without symbols: a word of static data
// leads to an interpreter whose first thread leads back to it. Either way the
// links must vouch for each other; where they do not, nothing is told.
//
//   head ──► interpreter ──next──► interpreter ──► 0       newest first
//                │   ▲
//    threads_head▼   │ interp
//              thread ──next──► thread ──► 0               newest first
//                     ◄──prev──
//
// SOURCE: struct _Py_DebugOffsets of 3.13 (pycore_runtime.h); PyThreadState and
// PyInterpreterState of 3.6 to 3.12, laid out by the compiler from the headers
// of 3.6.15, 3.7.16, 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/target_memory.h"

namespace arenalab {

struct ThreadState {
  std::int64_t interpreter = 0;  // its id: 0 is the main one
  // Of the system: gettid(); 0: could not be told. Before 3.11 it is the C
  // library's word for the thread.
  std::uint64_t native_id = 0;
  bool runs_python = false;  // it has a frame
};

// `python` is the release, "3.8.18". nullopt: nothing vouches for a list.
std::optional<std::vector<ThreadState>> FindThreadStates(
    TargetMemory& memory, const std::string& python);

}  // namespace arenalab
