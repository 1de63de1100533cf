// A running process whose Python is on one of the preload libraries, seen from
// outside: nothing of ours runs or waits in it.
#pragma once

#include <optional>
#include <string>

namespace arenalab {

struct ServedProcess {
  int pid = 0;
  std::string allocator;   // "pymalloc", "mimalloc", ...; of its library's name
  std::string scope;       // as --scope was
  std::string stats_file;  // where its summary will go; "" if that is no file
};

// nullopt where none of the libraries is mapped in it. Throws InputError where
// there is no such process, or it may not be read.
std::optional<ServedProcess> FindServedProcess(int pid);

// The summary line that `exec --stats` writes at exit, as it is now, without
// the newline: the same keys up to minor_faults (hooks=unread: who is asked
// cannot be seen from here), then resident_kib and, where the arenas are
// pymalloc's, arenas_live, held_bytes and block_bytes.
std::string SummaryLineNow(const ServedProcess& process);

}  // namespace arenalab
