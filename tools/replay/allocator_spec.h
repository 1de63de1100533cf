// What `-a` names: an allocator, its settings, and how its worker is started.
//
//   -a pymalloc,mimalloc                     names of the registry
//   -a 'jemalloc{dirty_decay_ms:0}'          with settings: MALLOC_CONF
//   -a 'mimalloc{decommit_delay:0}'          MIMALLOC_DECOMMIT_DELAY=0
//   -a 'system{arena_max:2}'                 GLIBC_TUNABLES
//   -a 'pymalloc{geometry:cpython-3.11}'     handed to the heap itself
//   -a ./libother.so                         preloaded into `system`'s worker
//   -a native:/path/to/python                native_spec.h
//
// The registry is the list of allocator_worker() calls in allocators/BUILD; at
// run time it is the set of programs replay_worker_* beside this one. Whether
// the settings mean anything is the allocator's own to say: ProbeAllocator() in
// measure.h asks it.
//
// Errors: InputError, one line. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace arenalab {

struct AllocatorSpec {
  std::string spelled;   // as the user wrote it; the name in tables
  std::string name;      // "jemalloc"; of a library its file name
  std::string settings;  // between the braces, "" if there were none
  std::string worker;    // path of the worker program
  std::string library;   // absolute path to preload, "" for registry names
  // NAME=VALUE, on top of the launcher's environment from which every variable
  // that steers an allocator has been taken out.
  std::vector<std::string> environment;
};

// One entry. Throws for a name that is not in the registry (listing those that
// are), malformed braces, and a file that is no shared library.
AllocatorSpec ParseAllocatorSpec(std::string_view text);

// Entries separated by commas outside braces. Throws also for an empty entry
// and for one that is named twice.
std::vector<AllocatorSpec> ParseAllocatorList(std::string_view text);

// Names of the registry, sorted.
std::vector<std::string> KnownAllocators();

}  // namespace arenalab
