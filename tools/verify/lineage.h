// A trace and the traces it was forked from, oldest first: what a verifier must
// replay so that a child begins with the heap that it inherited.
//
// SOURCE. The `parent FILE FORK` line of TRACE_FORMAT.md; FILE is looked up
// beside the trace that names it. ERRORS. InputError: a parent that cannot be
// opened, a line that cannot be read, a trace that is its own ancestor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arenalab {

struct Ancestor {
  std::string path;
  // Replay up to and with this fork event; of the last element, everything.
  std::uint64_t fork = 0;
};

// The last element is `path` itself.
std::vector<Ancestor> LineageOf(const std::string& path);

}  // namespace arenalab
