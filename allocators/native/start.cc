// The way into an interpreter's process: this library is preloaded, and its
// __libc_start_main stands before the C library's. The program's own main() is
// never called; the replay worker runs in its place, in an interpreter that has
// not started or, where the allocator needs one, in the initialisation of a
// built-in module that the interpreter imports as the first thing it does.
//
// A libpython by path comes the same way, preloaded behind this library into
// any other program.
//
// _exit ends it: nothing that the interpreter would do at its end may run on a
// heap that was pulled from under it.
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "allocators/native/arenas.h"
#include "allocators/native/heap.h"
#include "allocators/native/python_api.h"
#include "tools/replay/worker_main.h"

namespace arenalab {
namespace {

[[noreturn]] void RunAndExit() {
  const int status = RunReplayWorker();
  _exit(LoggedNativeHeap::CloseLog() ? status : 3);
}

// PyInit__arenalab: the interpreter runs, the GIL is held.
void* InitialiseModule() {
  signal(SIGINT, SIG_DFL);  // the interpreter's handler would only set a flag
  RunAndExit();
}

// Ends when the import does; returns where there is none, with a reason on
// stderr that is the interpreter's own.
int StartInterpreter(char* program) {
  const PythonApi& python = Python();
  static const char* const kArguments[] = {nullptr, "-s", "-S", "-c",
                                           "import _arenalab"};
  constexpr int kCount = sizeof(kArguments) / sizeof(kArguments[0]);
  python.add_builtin_module("_arenalab", InitialiseModule);
  wchar_t* arguments[kCount + 1] = {};
  // Where a libpython is preloaded, this names the prefix of its library.
  const char* home = std::getenv("ARENALAB_PYTHON_PROGRAM");
  arguments[0] = python.decode(home == nullptr ? program : home, nullptr);
  for (int i = 1; i < kCount; ++i) {
    arguments[i] = python.decode(kArguments[i], nullptr);
  }
  python.main(kCount, arguments);
  return 3;
}

int Main(int, char** argv, char**) {
  FindPython();
  if (RefusalOfPython() == nullptr) {
    PythonArenaAllocator source = native_arenas.source();
    Python().set_arena_allocator(&source);
    const char* allocator = std::getenv("PYTHONMALLOC");
    const bool pymalloc =
        allocator == nullptr || std::strcmp(allocator, "pymalloc") == 0;
    if (NeedsInterpreter() || !pymalloc) _exit(StartInterpreter(argv[0]));
  }
  RunAndExit();  // which tells of a refusal, where there is one
}

}  // namespace
}  // namespace arenalab

extern "C" __attribute__((visibility("default"))) int __libc_start_main(
    int (*)(int, char**, char**), int argc, char** argv, void (*init)(),
    void (*fini)(), void (*rtld_fini)(), void* stack_end) {
  using Start = int (*)(int (*)(int, char**, char**), int, char**, void (*)(),
                        void (*)(), void (*)(), void*);
  auto start = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
  if (start == nullptr) _exit(3);
  return start(arenalab::Main, argc, argv, init, fini, rtld_fini, stack_end);
}
