// What one library of this folder puts under the interpreter's allocators: its
// own `underlay`, filled in by one source file, used by installer.cc.
//
// THREADS. start() and the functions that make allocators are called once, or
// again where the interpreter set its allocators anew while it started; always
// before it has a second thread.
#pragma once

#include <stdio.h>

#include "allocators/interpreter/python_api.h"

namespace arenalab::preload {

inline constexpr int kDomains = 3;

// As the interpreter had them before anything of ours.
struct Beneath {
  PythonApi python;
  PythonAllocator domain[kDomains];
  ArenaAllocator arena;
};

struct Underlay {
  const char* name;
  // Why it cannot serve the raw domain; nullptr: it can.
  const char* raw_refusal;
  // Blocks that the interpreter's own allocator handed out before are freed by
  // that one; otherwise there must be none.
  bool frees_earlier_blocks;
  // nullptr, or why it cannot serve this interpreter, in one line. May be null.
  const char* (*start)(const Beneath&);
  // nullptr: nothing is put anywhere.
  PythonAllocator (*allocator)(Domain, const Beneath&);
  // What stands in the raw domain's place where only mem and obj are served:
  // the same, watched. May be null: nothing.
  PythonAllocator (*watched_raw)(const Beneath&);
  // That it is watched no longer: the interpreter took the domain back. May be
  // null.
  void (*unwatched)();
  // Blocks of its own that are live, or -1: unknown. May be null.
  long (*live_blocks)();
  // In the words of sys._debugmallocstats(). May be null.
  void (*print_statistics)(FILE* out);
  // A few words for the summary at exit, without a line's end. May be null.
  void (*summarise)(FILE* out);
};

extern const Underlay underlay;

// What stands under the object domain now: `kept`, ours alone; `debug`, ours
// under CPython's debug layer; `covered`, something else that was put there
// later, which calls ours if it wraps what it found.
const char* HookState();

// For those whose functions are malloc's.
template <void* (*kMalloc)(std::size_t),
          void* (*kCalloc)(std::size_t, std::size_t),
          void* (*kRealloc)(void*, std::size_t), void (*kFree)(void*)>
struct LikeMalloc {
  // CPython wants a block of its own for 0 bytes.
  static void* Malloc(void*, std::size_t size) {
    return kMalloc(size == 0 ? 1 : size);
  }
  static void* Calloc(void*, std::size_t count, std::size_t size) {
    return count == 0 || size == 0 ? kCalloc(1, 1) : kCalloc(count, size);
  }
  static void* Realloc(void*, void* block, std::size_t size) {
    return kRealloc(block, size == 0 ? 1 : size);
  }
  static void Free(void*, void* block) { kFree(block); }

  static PythonAllocator Make(Domain, const Beneath&) {
    return {nullptr, Malloc, Calloc, Realloc, Free};
  }
};

}  // namespace arenalab::preload
