// `--placements` of a real interpreter: the file of placements.h, from where it
// put every block and not from where the clone would. Two such files of one
// trace, the clone's and the interpreter's, are compared with diff.
//
// Errors: InputError where its worker fails or the log cannot be written.
#pragma once

#include "tools/replay/allocator_spec.h"
#include "tools/replay/compile.h"
#include "tools/replay/placements.h"

namespace arenalab {

// One replay, in which every block is filled and checked. `spec` is a native
// one, with its arenas placed (native_spec.h). The caller closes `file`.
void WriteNativePlacements(AllocatorSpec spec, const CompiledTrace& trace,
                           PlacementsFile* file);

}  // namespace arenalab
