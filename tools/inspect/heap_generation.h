// Which release's pymalloc a heap is: the sizes are in the heap, but 3.8 and
// 3.9 have the same and other rules, so the interpreter's own version decides.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/inspect/heap_reading.h"

namespace arenalab {

// "3.11.2", from what sys.version says: Py_GetVersion()'s text in the static
// data of the module. nullopt if there is none.
std::optional<std::string> FindPythonVersion(TargetMemory& memory);

// One of kGenerationNames (allocators/pymalloc/generation.h) with the heap's
// sizes and address test: the version's own if it is among them, else the
// oldest (what a distributor patched behaves as).
std::string_view GenerationOf(const HeapReading& heap,
                              const std::optional<std::string>& version);

}  // namespace arenalab
