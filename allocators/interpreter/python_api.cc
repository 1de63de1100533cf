// Looking the functions up, and asking them; contract in python_api.h.
#include "allocators/interpreter/python_api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The oldest version of dlsym, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

namespace arenalab::preload {
namespace {

template <typename Function>
void Find(Function* out, const char* name) {
  *out = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// "3.6.1 ..." or later.
bool VersionIsServed(const char* version) {
  return strncmp(version, "3.", 2) == 0 && atoi(version + 2) >= 6;
}

}  // namespace

bool FindPython(PythonApi* python) {
  Find(&python->get_allocator, "PyMem_GetAllocator");
  Find(&python->set_allocator, "PyMem_SetAllocator");
  Find(&python->get_arena_allocator, "PyObject_GetArenaAllocator");
  Find(&python->set_arena_allocator, "PyObject_SetArenaAllocator");
  Find(&python->version, "Py_GetVersion");
  if (python->get_allocator == nullptr || python->set_allocator == nullptr ||
      python->get_arena_allocator == nullptr ||
      python->set_arena_allocator == nullptr || python->version == nullptr) {
    return false;
  }
  Find(&python->print_statistics, "_PyObject_DebugMallocStats");
  Find(&python->setup_debug_hooks, "PyMem_SetupDebugHooks");
  Find(&python->allocator_name, "_PyMem_GetCurrentAllocatorName");
  if (python->allocator_name == nullptr) {
    Find(&python->allocator_name, "_PyMem_GetAllocatorsName");  // 3.7
  }
  Find(&python->pymalloc_enabled, "_PyMem_PymallocEnabled");
  Find(&python->is_finalising, "Py_IsFinalizing");
  if (python->is_finalising == nullptr) {
    Find(&python->is_finalising, "_Py_IsFinalizing");
  }
  Find(&python->finalising, "_Py_Finalizing");
  Find(&python->thread_state, "PyThreadState_GetUnchecked");
  if (python->thread_state == nullptr) {
    Find(&python->thread_state, "_PyThreadState_UncheckedGet");  // 3.12
  }
  Find(&python->interpreter_of, "PyThreadState_GetInterpreter");
  Find(&python->interpreter_id, "PyInterpreterState_GetID");
  Find(&python->has_feature, "_PyInterpreterState_HasFeature");
  Find(&python->interpreter_config, "_PyInterpreterConfig_InitFromState");
  Find(&python->is_initialised, "Py_IsInitialized");
  return VersionIsServed(python->version());
}

bool IsFreeThreaded(const PythonApi& python) {
  return strstr(python.version(), "free-threading") != nullptr;
}

bool VersionBegins(const PythonApi& python, const char* prefix) {
  return strncmp(python.version(), prefix, strlen(prefix)) == 0;
}

const char* AllocatorName(const PythonApi& python,
                          const PythonAllocator& object) {
  const char* name = nullptr;
  if (python.allocator_name != nullptr) {
    name = python.allocator_name();
  } else if (python.pymalloc_enabled != nullptr) {
    // 3.6 does not say whether its debug layer is there, the only one of its
    // allocators that has a context.
    name = object.context != nullptr   ? "pymalloc_debug"
           : python.pymalloc_enabled() ? "pymalloc"
                                       : "malloc";
  }
  return name == nullptr ? "unknown" : name;
}

std::uint32_t CurrentState(const PythonApi& python) {
  // Neither: before 3.12, where all share one.
  if (python.has_feature == nullptr && python.interpreter_config == nullptr) {
    return 0;
  }
  void* const thread = python.thread_state();
  if (thread == nullptr) return 0;
  void* const interpreter = python.interpreter_of(thread);
  const std::int64_t id = python.interpreter_id(interpreter);
  if (id <= 0) return 0;
  if (python.has_feature != nullptr) {
    return python.has_feature(interpreter, kUseMainObmalloc)
               ? 0
               : static_cast<std::uint32_t>(id);
  }
  InterpreterConfig config{};
  if (python.interpreter_config(&config, interpreter) != 0) return 0;
  return config.use_main_obmalloc ? 0 : static_cast<std::uint32_t>(id);
}

bool IsInitialised(const PythonApi& python) {
  return python.is_initialised == nullptr || python.is_initialised() != 0;
}

bool IsFinalising(const PythonApi& python) {
  if (python.is_finalising != nullptr) return python.is_finalising() != 0;
  return python.finalising != nullptr && *python.finalising != nullptr;
}

}  // namespace arenalab::preload
