// Starts a program that has one allocator in it: a replay worker, or another of
// the programs that the registry makes (allocators/allocator_worker.bzl).
//
// The program sees the launcher's environment without the variables that steer
// an allocator (MALLOC_*, MIMALLOC_*, GLIBC_TUNABLES, LD_PRELOAD, PYTHON*),
// then the spec's own; a library by path is preloaded.
//
// Threads: any. ERRORS. InputError naming the allocator.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/replay/allocator_spec.h"

namespace arenalab {

struct WorkerStart {
  std::string program;
  std::vector<std::string> arguments;  // after its name
  std::vector<int> fds;                // become 3, 4, ...; stay open here too
  int stdout_fd = -1;                  // -1: this program's
  int stderr_fd = -1;
  // The same address-space layout every time, so that figures of memory are
  // the same; timed runs want a random one, or one layout's luck would be taken
  // for speed. Where the system forbids that the layout stays random.
  bool fixed_layout = false;
};

pid_t StartWorker(const AllocatorSpec& spec, const WorkerStart& start);

// What HeapOptions::settings is to be in that program.
std::string WorkerSettings(const AllocatorSpec& spec);

}  // namespace arenalab
