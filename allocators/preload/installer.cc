// Puts the library's allocator under an interpreter that is about to start.
//
//   constructor   finds CPython in the process, takes our variables out of the
//                 environment, puts the allocator in: before the interpreter's
//                 first instruction, so before its first block
//   getenv, getrandom
//                 interposed. 3.6 sets its allocators in main(), after it asked
//                 for PYTHONMALLOC and before it draws its hash secret: there
//                 ours go in, again before the first block. Later versions do
//                 so where they are told `debug` (PYTHONMALLOC, -X dev): then
//                 ours go in once more, and CPython's debug layer on top.
//
// A process without an interpreter (a shell, `env`, pyenv's shim) is left
// alone, its environment too. Where an allocator cannot serve an interpreter
// the program does not run: one line, exit status 125.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "allocators/interpreter/environment.h"
#include "allocators/preload/exit_report.h"
#include "allocators/preload/finalise_note.h"
#include "allocators/preload/measure_at.h"
#include "allocators/preload/taken_environment.h"
#include "allocators/preload/underlay.h"

// The oldest version, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

namespace arenalab::preload {
namespace {

using GetRandom = ssize_t (*)(void*, std::size_t, unsigned);

constinit Beneath beneath{};
constinit PythonAllocator ours[kDomains]{};
bool serves_raw = false;
bool measures = false;
bool watching = false;  // until the interpreter is initialised
bool installed = false;
bool asked = false;        // 3.6: it has asked for PYTHONMALLOC
bool under_debug = false;  // CPython's debug layer is on top of ours

[[noreturn]] void Refuse(const char* reason) {
  // Not stdio: nothing of the program's may be touched.
  const char* words[] = {"arenalab: ", underlay.name, ": ", reason, "\n"};
  for (const char* word : words) {
    static_cast<void>(!write(STDERR_FILENO, word, strlen(word)));
  }
  _exit(125);
}

void Put(Domain domain, PythonAllocator allocator) {
  ours[domain] = allocator;
  beneath.python.set_allocator(domain, &ours[domain]);
}

PythonAllocator Served(Domain domain) {
  const PythonAllocator plain = underlay.allocator(domain, beneath);
  return measures && domain != kRawDomain ? Measured(domain, plain) : plain;
}

void InstallServed() {
  Put(kMemDomain, Served(kMemDomain));
  Put(kObjectDomain, Served(kObjectDomain));
  installed = true;
}

void Install() {
  if (serves_raw) {
    Put(kRawDomain, Served(kRawDomain));
  } else if (underlay.watched_raw != nullptr) {
    Put(kRawDomain, underlay.watched_raw(beneath));
  }
  InstallServed();
}

// Blocks that ours handed out are about to be given to another allocator.
void RefuseIfInUse() {
  if (underlay.live_blocks != nullptr && underlay.live_blocks() > 0) {
    Refuse(
        "this interpreter set its allocators anew (PYTHONMALLOC=debug, -X dev) "
        "when blocks had been handed out already; run it without");
  }
}

// After the interpreter set its allocators itself; the first time, in 3.6.
void PutBeneath(const PythonAllocator& object) {
  // The debug layer alone has a context, in every version.
  under_debug = object.context != nullptr;
  if (serves_raw && (installed || under_debug)) {
    Refuse(
        "the debug layer (PYTHONMALLOC=debug, -X dev) comes when raw blocks "
        "have been handed out already: choose the scope mem+obj");
  }
  if (!installed && !under_debug) return Install();
  if (installed) RefuseIfInUse();
  InstallServed();
  // The raw domain stays as the interpreter has it, with or without its debug
  // layer: it may have changed it for a moment only.
  if (underlay.unwatched != nullptr) underlay.unwatched();
  if (!under_debug || beneath.python.setup_debug_hooks == nullptr) return;
  PythonAllocator raw;
  beneath.python.get_allocator(kRawDomain, &raw);
  beneath.python.setup_debug_hooks();
  beneath.python.set_allocator(kRawDomain, &raw);
}

void Watch(bool late_enough) {
  if (!watching) return;
  if (IsInitialised(beneath.python)) {
    watching = false;
    return;
  }
  PythonAllocator object;
  beneath.python.get_allocator(kObjectDomain, &object);
  if (installed ? object.malloc != ours[kObjectDomain].malloc : late_enough) {
    // With the debug layer on top, ours is not what the domain shows.
    if (!under_debug) PutBeneath(object);
  }
}

// `BYTES@ADDRESS`: so many, that nobody touches, mapped below that address
// (tools/exec/frontier.h).
void Shift(const char* where) {
  if (where == nullptr) return;
  char* end;
  const std::size_t bytes = strtoul(where, &end, 10);
  if (*end != '@') return;
  const std::uintptr_t below = strtoul(end + 1, nullptr, 16);
  mmap(reinterpret_cast<void*>(below - bytes), bytes, PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// Up to 3.11 blocks can be had before the interpreter has started: another
// library's constructor may have asked for some.
bool HasEarlierBlocks() {
  const PythonApi& python = beneath.python;
  if (python.has_feature != nullptr || python.interpreter_config != nullptr) {
    return false;
  }
  const auto allocated = reinterpret_cast<std::ptrdiff_t (*)()>(
      dlsym(RTLD_DEFAULT, "_Py_GetAllocatedBlocks"));
  return allocated != nullptr && allocated() > 0;
}

[[gnu::constructor]] void Start() {
  if (!FindPython(&beneath.python)) {
    if (beneath.python.version != nullptr && underlay.allocator != nullptr) {
      Refuse("only CPython 3.6 and later can be served");
    }
    return;
  }
  const bool observes = underlay.allocator == nullptr;
  if (IsFreeThreaded(beneath.python) && !observes) {
    Refuse(
        "this is a free-threaded build: its cycle collector finds objects by "
        "walking mimalloc's heaps, so they must stay there");
  }
  TakeEnvironment();
  Shift(Taken("ARENALAB_SHIFT"));
  PlanFinaliseNote(beneath.python, Taken("ARENALAB_FINALISE_NOTE"));
  if (observes) return;
  for (int domain = 0; domain < kDomains; ++domain) {
    beneath.python.get_allocator(static_cast<Domain>(domain),
                                 &beneath.domain[domain]);
  }
  beneath.python.get_arena_allocator(&beneath.arena);
  const char* scope = Taken("ARENALAB_SCOPE");
  serves_raw = scope != nullptr && strcmp(scope, "raw") == 0;
  if (scope != nullptr && !serves_raw && strcmp(scope, "mem+obj") != 0) {
    Refuse("ARENALAB_SCOPE is mem+obj or raw");
  }
  if (serves_raw && underlay.raw_refusal != nullptr) {
    Refuse(underlay.raw_refusal);
  }
  if (!underlay.frees_earlier_blocks && HasEarlierBlocks()) {
    Refuse(
        "another preloaded library had blocks from this interpreter already, "
        "which this allocator could not free");
  }
  if (underlay.start != nullptr) {
    const char* error = underlay.start(beneath);
    if (error != nullptr) Refuse(error);
  }
  const char* moments = Taken("ARENALAB_MEASURE_AT");
  if (moments != nullptr) {
    const char* error = PlanMeasuring(moments);
    if (error != nullptr) Refuse(error);
    measures = true;
  }
  PlanExitReport(Taken("ARENALAB_STATS"));
  ShowInPython(beneath.python);
  watching = true;
  if (!VersionBegins(beneath.python, "3.6.")) Install();
}

}  // namespace

const char* HookState() {
  if (under_debug) return "debug";
  // 3.6 goes back to malloc in the last lines of main().
  if (VersionBegins(beneath.python, "3.6.") && !IsInitialised(beneath.python)) {
    return "kept";
  }
  PythonAllocator object;
  beneath.python.get_allocator(kObjectDomain, &object);
  return object.malloc == ours[kObjectDomain].malloc ? "kept" : "covered";
}

}  // namespace arenalab::preload

#pragma GCC visibility push(default)
extern "C" {

char* getenv(const char* name) {
  using arenalab::preload::asked;
  if (arenalab::preload::watching) {
    arenalab::preload::Watch(asked);
    if (strcmp(name, "PYTHONMALLOC") == 0) asked = true;
  }
  return arenalab::preload::Variable(name);
}

// Declared by libraries newer than the oldest that this must load with.
ssize_t getrandom(void* to, std::size_t bytes, unsigned flags) {
  static const auto real = reinterpret_cast<arenalab::preload::GetRandom>(
      dlsym(RTLD_NEXT, "getrandom"));
  arenalab::preload::Watch(true);
  return real(to, bytes, flags);
}

}  // extern "C"
#pragma GCC visibility pop
