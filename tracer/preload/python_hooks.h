// Finds the interpreter in this process and puts our hooks on its allocators.
#pragma once

namespace arenalab::preload {

// False where there is no CPython 3.6 or later in this process, or one without
// a global lock (its pymalloc is mimalloc). Once, from the constructor.
bool FindPython();
// Wraps every domain whose current allocator is not ours, and the arena
// allocator. Not while other threads run: CPython's setters are not safe then.
void WrapAllocators();
// Cheap; false before the interpreter starts.
bool InterpreterIsFinalising();

}  // namespace arenalab::preload
