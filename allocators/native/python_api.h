// The functions of the CPython in this process that the native allocator calls,
// found by name: no header of any release is needed, and one build serves all.
//
// SOURCE: the C API reference, "Memory Management" (PyObject_*, since 3.4 with
// PyObject_SetArenaAllocator), "Initialization" and "Importing Modules". Types
// are written as the ABI has them; PyObject* is void*.
//
// Threads: FindPython() once, before anything else; then read only.
#pragma once

#include <cstddef>

namespace arenalab {

// PyObjectArenaAllocator, unchanged since 3.4.
struct PythonArenaAllocator {
  void* context;
  void* (*acquire)(void* context, std::size_t bytes);
  void (*release)(void* context, void* base, std::size_t bytes);
};

struct PythonApi {
  void* (*malloc)(std::size_t);
  void* (*calloc)(std::size_t, std::size_t);
  void* (*realloc)(void*, std::size_t);
  void (*free)(void*);
  void (*set_arena_allocator)(PythonArenaAllocator*);
  const char* (*version)();
  int (*add_builtin_module)(const char* name, void* (*initialise)());
  wchar_t* (*decode)(const char* text, std::size_t* length);
  int (*main)(int argc, wchar_t** argv);
};

// What the process has; members that are not there are nullptr.
const PythonApi& FindPython();
// As FindPython() found it.
const PythonApi& Python();

// nullptr, or why this process' PyObject_Malloc cannot be driven: one line.
const char* RefusalOfPython();

// PyObject_Malloc needs a running interpreter (3.12 and later: the allocator's
// state belongs to one). REQUIRES: RefusalOfPython() == nullptr.
bool NeedsInterpreter();

}  // namespace arenalab
