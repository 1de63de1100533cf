// The variables by which this library was asked for, taken out of the
// environment before the interpreter reads it, and put back into that of every
// program that this one starts.
//
// Why out: os.environ holds a copy of each, and strings more or fewer change
// where every later block lies. The program then sees the environment that it
// would have without us. Why back: a program's workers, compilers and helpers
// are to run on the same allocator.
//
// Taken: LD_PRELOAD as a whole, ARENALAB_*, and PYTHONMALLOC where it names an
// allocator, for ours takes that place; its `debug` forms stay, and put
// CPython's debug layer above ours.
//
// Put back by the exec functions and posix_spawn, where the caller does not set
// the variable itself. Not by system() and popen(), whose shell the C library
// starts by itself.
#pragma once

namespace arenalab::preload {

// Once, from the constructor, in a process that has an interpreter.
void TakeEnvironment();
// The value of a taken variable, or nullptr.
const char* Taken(const char* name);

}  // namespace arenalab::preload
