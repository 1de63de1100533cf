// What the kernel says this process has resident and mapped, asked without
// allocating.
// Source: proc_pid_smaps(5), smaps_rollup; exact, unlike statm, whose counters
// newer kernels keep per CPU. Linked into workers. Any thread.
#pragma once

#include <cstdint>

namespace arenalab {

struct Resident {
  std::int64_t rss_bytes = -1;        // -1: the kernel does not tell
  std::int64_t anonymous_bytes = -1;  // of them, no file's
};

Resident ReadResident();

// VmData of proc_pid_status(5): all private writable mappings but the stack.
// -1: the kernel does not tell.
std::int64_t ReadMapped();

// Number of bytes behind `name` ("Rss:") in the text of smaps_rollup or status;
// -1 where it does not stand at the start of a line.
std::int64_t FieldOfSmaps(const char* text, const char* name);

}  // namespace arenalab
