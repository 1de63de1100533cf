// What the preload library needs of CPython's C interface, declared here so
// that one library serves every version: the layouts are those of Python 3.5
// and later (Include/cpython/pymem.h, objimpl.h), the functions are found at
// run time and may be absent.
#pragma once

#include <stdio.h>

#include <cstddef>
#include <cstdint>

namespace arenalab::preload {

// PyMemAllocatorEx
struct PythonAllocator {
  void* context;
  void* (*malloc)(void* context, std::size_t size);
  void* (*calloc)(void* context, std::size_t count, std::size_t size);
  void* (*realloc)(void* context, void* block, std::size_t size);
  void (*free)(void* context, void* block);
};

// PyObjectArenaAllocator
struct ArenaAllocator {
  void* context;
  void* (*alloc)(void* context, std::size_t size);
  void (*free)(void* context, void* base, std::size_t size);
};

// PyInterpreterConfig, with room to grow.
struct InterpreterConfig {
  int use_main_obmalloc;
  int others[31];
};
// Py_RTFLAGS_USE_MAIN_OBMALLOC
inline constexpr unsigned long kUseMainObmalloc = 1ul << 5;

// PyMemAllocatorDomain; the same numbers as Layer in tracer/event.h.
enum Domain : int { kRawDomain = 0, kMemDomain = 1, kObjectDomain = 2 };

struct PythonApi {
  void (*get_allocator)(Domain, PythonAllocator*);
  void (*set_allocator)(Domain, PythonAllocator*);
  void (*get_arena_allocator)(ArenaAllocator*);
  void (*set_arena_allocator)(ArenaAllocator*);
  const char* (*version)();
  // May be absent:
  void (*print_statistics)(FILE*);
  const char* (*allocator_name)();  // 3.7 and later
  int (*pymalloc_enabled)();        // 3.6
  int (*is_initialised)();
  int (*is_finalising)();   // 3.7 and later
  void* const* finalising;  // 3.6: not null once it is
  // 3.12 and later, where an interpreter may have a pymalloc state of its own.
  // The first may be called without a thread state; the last two each tell
  // whether it uses the main one's, in 3.12 and in 3.13.
  void* (*thread_state)();
  void* (*interpreter_of)(void* thread_state);
  std::int64_t (*interpreter_id)(void* interpreter);
  int (*has_feature)(void* interpreter, unsigned long feature);
  int (*interpreter_config)(InterpreterConfig*, void* interpreter);
};

}  // namespace arenalab::preload
