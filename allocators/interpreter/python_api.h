// What preload libraries need of CPython's C interface to put something under
// or over its allocators, declared here so that one library serves every
// version: the layouts are those of Python 3.5 and later
// (Include/cpython/pymem.h, objimpl.h), the functions are found at run time and
// may be absent.
//
// Libc only, nothing newer than GLIBC_2.17, no allocation: this is linked into
// libraries that stand before the interpreter's first instruction.
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
  void (*setup_debug_hooks)();
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

// Fills `python`. False where there is no CPython 3.6 or later in this process.
bool FindPython(PythonApi* python);

// REQUIRES, all of them: FindPython() was true.

// No global lock: its objects must stay mimalloc's, which is what the cycle
// collector walks, and pymalloc is not used at all.
bool IsFreeThreaded(const PythonApi& python);
// `3.6.`: is it that version?
bool VersionBegins(const PythonApi& python, const char* prefix);
// What stands under the object domain, in the interpreter's own word: pymalloc,
// malloc, pymalloc_debug ...; "unknown" where hooks of others are there. Not
// before main(): 3.12 needs its runtime for it.
const char* AllocatorName(const PythonApi& python,
                          const PythonAllocator& object);
// The pymalloc state that the current thread is in: the interpreter's id where
// it has one of its own (3.12 and later), else 0. Under that interpreter's
// lock.
std::uint32_t CurrentState(const PythonApi& python);
// Where it cannot be told (which no release does): true.
bool IsInitialised(const PythonApi& python);
// Cheap; false before the interpreter starts.
bool IsFinalising(const PythonApi& python);

}  // namespace arenalab::preload
