// Which pymalloc an interpreter has, from what it says of itself.
#pragma once

#include <string>
#include <string_view>

namespace arenalab {

// "3.11.2" of "3.11.2 (main, ...) [GCC ...]".
std::string PythonRelease(std::string_view version);

// The name by which allocators/pymalloc/generation.h finds the generation: that
// of the release, unless its own statistics (_PyObject_DebugMallocStats; may be
// empty) contradict it. A release may be built with another's allocator: pyenv
// patches 3.6.15 to 16-byte alignment.
std::string PymallocGeneration(std::string_view version,
                               std::string_view statistics);
// In bytes, of the same two: 8 or 16.
int PymallocAlignment(std::string_view version, std::string_view statistics);

// `pymalloc`, `malloc`, `debug` or `mimalloc`, of the interpreter's own names
// (`pymalloc_debug`, ...); else the name itself. Where nothing was set after
// the start the name is empty: it is the default, and only pymalloc has
// statistics.
std::string AllocatorBeneath(std::string_view name, bool has_statistics);

}  // namespace arenalab
