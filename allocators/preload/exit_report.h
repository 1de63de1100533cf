// What ARENALAB_STATS asks for: `1` on stderr, otherwise appended to the file
// of that name, when the process ends in the ordinary way. One line, whose form
// is kept (README.md):
//
//   arenalab exec: allocator=pymalloc scope=mem+obj hooks=kept pid=N wall_s=S
//   cpu_s=S peak_kib=N minor_faults=N [more of the allocator's own]
//
// before it, where the allocator has it, the table of sys._debugmallocstats().
// From then on sys._debugmallocstats() itself shows it too, in the place where
// the interpreter would show its own, and sys.getallocatedblocks() counts its
// blocks: the entries of these two functions in the interpreter's tables are
// changed, which allocates nothing.
#pragma once

#include "allocators/interpreter/python_api.h"

namespace arenalab::preload {

// `where` may be nullptr: nothing. From the constructor.
void PlanExitReport(const PythonApi& python, const char* where);

}  // namespace arenalab::preload
