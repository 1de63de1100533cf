// Looking the functions up, and what a version string tells; contract in
// python_api.h.
#include "allocators/native/python_api.h"

#include <dlfcn.h>

#include <cstring>

namespace arenalab {
namespace {

PythonApi python;

template <typename Function>
void Find(const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

// 312 of "3.12.1 (main, ...)"; 0 if it is no such text.
int VersionNumber(const char* text) {
  int parts[2] = {0, 0};
  for (int& part : parts) {
    if (*text < '0' || *text > '9') return 0;
    for (; *text >= '0' && *text <= '9' && part < 100; ++text) {
      part = part * 10 + (*text - '0');
    }
    if (*text == '.') ++text;
  }
  return parts[0] * 100 + parts[1];
}

}  // namespace

const PythonApi& FindPython() {
  Find("PyObject_Malloc", &python.malloc);
  Find("PyObject_Calloc", &python.calloc);
  Find("PyObject_Realloc", &python.realloc);
  Find("PyObject_Free", &python.free);
  Find("PyObject_SetArenaAllocator", &python.set_arena_allocator);
  Find("Py_GetVersion", &python.version);
  Find("PyImport_AppendInittab", &python.add_builtin_module);
  Find("Py_DecodeLocale", &python.decode);
  Find("Py_Main", &python.main);
  return python;
}

const PythonApi& Python() { return python; }

const char* RefusalOfPython() {
  if (python.malloc == nullptr || python.free == nullptr ||
      python.realloc == nullptr || python.version == nullptr) {
    return "this is no CPython: it has no PyObject_Malloc to call";
  }
  if (python.calloc == nullptr || python.set_arena_allocator == nullptr ||
      python.add_builtin_module == nullptr || python.decode == nullptr ||
      python.main == nullptr) {
    return "this CPython is too old: PyObject_Calloc came with 3.5";
  }
  if (std::strstr(python.version(), "free-threading") != nullptr) {
    return "this is a free-threaded build, which has no pymalloc: its objects "
           "are mimalloc's";
  }
  const int version = VersionNumber(python.version());
  if (version / 100 != 3) {
    return "this calls itself a version that is not 3.x; only CPython 3.5 and "
           "later can be driven";
  }
  // A debug build of 3.11 or older wraps its hooks around every request, and
  // nothing can be said to it before it starts.
  if (version < 312 && (dlsym(RTLD_DEFAULT, "_Py_RefTotal") != nullptr ||
                        dlsym(RTLD_DEFAULT, "_Py_GetRefTotal") != nullptr)) {
    return "this is a debug build, whose hooks make every request larger: give "
           "a release build";
  }
  return nullptr;
}

bool NeedsInterpreter() { return VersionNumber(python.version()) >= 312; }

}  // namespace arenalab
