// When the interpreter begins to go down, and what it weighs then: the last
// moment at which its memory is the program's.
//
//   ARENALAB_FINALISE_NOTE=FILE
//
// appends one line to FILE for each process whose interpreter finalises:
//
//   PID RESIDENT_KIB MONOTONIC_NS
//
// The interpreter gives its signal handlers back when it has begun and before
// it frees anything (3.6 to 3.13): sigaction is interposed, and looks.
#pragma once

#include "allocators/interpreter/python_api.h"

namespace arenalab::preload {

// `path` may be nullptr: nothing. From the constructor.
void PlanFinaliseNote(const PythonApi& python, const char* path);

}  // namespace arenalab::preload
