// What the interpreter and the library say of the allocator that runs.
//
// sys._debugmallocstats() shows the library's table, where it has one, in the
// place where the interpreter would show its own; sys.getallocatedblocks()
// counts its blocks. The entries of these two in the interpreter's tables are
// changed, which allocates nothing.
//
// ARENALAB_STATS: `1` on stderr, otherwise appended to the file of that name,
// when the process ends in the ordinary way: that table, and one line, whose
// form is kept (README.md):
//
//   arenalab exec: allocator=pymalloc scope=mem+obj hooks=kept pid=N wall_s=S
//   cpu_s=S peak_kib=N minor_faults=N [more of the allocator's own]
#pragma once

#include "allocators/interpreter/python_api.h"

namespace arenalab::preload {

// From the constructor. `where` may be nullptr: no report.
void PlanExitReport(const char* where);
void ShowInPython(const PythonApi& python);

}  // namespace arenalab::preload
