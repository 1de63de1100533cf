// The allocator of a real CPython, called inside that CPython: this library is
// preloaded into the interpreter, and the replay loop runs in the place of its
// main().
//
//   <= 3.11   PyObject_Malloc is called before anything else has been
//   >= 3.12   the interpreter starts, imports a module of ours, and there its
//             allocator's state is made fresh (state.h)
//
// So it is the build itself that serves: a change of pymalloc is measured by
// building it. The heap is the process's, and there is one.
//
// Settings: `PYTHONMALLOC:malloc` or `PYTHONMALLOC:mimalloc` (3.13 and later)
// let the interpreter start with that allocator; what its start left in it is
// there before the first request, and is subtracted as the empty replay.
//
// PyObject_Malloc jumps through the domain's table of functions, as it does
// for a program: a request costs one indirect call more than the clone's.
//
// Threads: one, as under the GIL, which is held.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "allocators/allocator.h"
#include "allocators/native/arenas.h"
#include "allocators/native/python_api.h"

namespace arenalab {

class NativeHeap {
 public:
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kOnePerProcess;
  static constexpr std::string_view kName = "native";

  // REQUIRES: CheckSettings() found nothing wrong.
  explicit NativeHeap(const HeapOptions&) : api_(Python()) {}
  NativeHeap(const NativeHeap&) = delete;
  NativeHeap& operator=(const NativeHeap&) = delete;

  // As the interpreter tells it: "3.11.7 (main, Feb  2 2024, ...) [GCC ...]".
  static const char* Version();
  static const void* Code() {
    return reinterpret_cast<const void*>(Python().malloc);
  }
  // Also makes the interpreter's allocator fresh: everything that can be wrong
  // with it is known after this.
  static const char* CheckSettings(std::string_view settings);

  void* Allocate(std::size_t bytes) noexcept { return api_.malloc(bytes); }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
    return api_.calloc(count, bytes);
  }
  // CPython has no such request; a raw block is what its Free() would take.
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept;
  void* Reallocate(void* p, std::size_t bytes) noexcept {
    return api_.realloc(p, bytes);
  }
  void Free(void* p) noexcept { api_.free(p); }
  // Of a block in an arena what its pool's header says.
  std::size_t UsableSize(void* p) const noexcept;
  // Arenas; with PYTHONMALLOC:malloc what mallinfo2() tells, as `system` does.
  HeapSnapshot Snapshot() const noexcept;
  bool TellsUsableSize() const noexcept;

 private:
  PythonApi api_;  // in the object: the loop finds it without asking again
};
static_assert(Allocator<NativeHeap>);

// The same, and every block's place is written to the log (placement_log.h).
class LoggedNativeHeap {
 public:
  static constexpr Threads kThreads = NativeHeap::kThreads;
  static constexpr Heaps kHeaps = NativeHeap::kHeaps;
  static constexpr std::string_view kName = NativeHeap::kName;

  explicit LoggedNativeHeap(const HeapOptions& options);
  LoggedNativeHeap(const LoggedNativeHeap&) = delete;
  LoggedNativeHeap& operator=(const LoggedNativeHeap&) = delete;

  static const char* Version() { return NativeHeap::Version(); }
  static const void* Code() { return NativeHeap::Code(); }
  static const char* CheckSettings(std::string_view settings) {
    return NativeHeap::CheckSettings(settings);
  }
  // Writes what is still buffered. False where the disk did not take it.
  static bool CloseLog();

  void* Allocate(std::size_t bytes) noexcept {
    return Log(heap_.Allocate(bytes));
  }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
    return Log(heap_.AllocateZeroed(count, bytes));
  }
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
    return Log(heap_.AllocateAligned(align, bytes));
  }
  void* Reallocate(void* p, std::size_t bytes) noexcept {
    return Log(heap_.Reallocate(p, bytes));
  }
  void Free(void* p) noexcept { heap_.Free(p); }
  std::size_t UsableSize(void* p) const noexcept { return heap_.UsableSize(p); }
  HeapSnapshot Snapshot() const noexcept { return heap_.Snapshot(); }
  bool TellsUsableSize() const noexcept { return heap_.TellsUsableSize(); }

 private:
  void* Log(void* block) noexcept;
  NativeHeap heap_;
};
static_assert(Allocator<LoggedNativeHeap>);

// The logged one where a log is asked for.
bool NativeLogIsWanted();

template <typename Visitor>
bool VisitNativeHeap(std::string_view, Visitor&& visitor) {
  if (NativeLogIsWanted()) {
    visitor.template operator()<LoggedNativeHeap>();
  } else {
    visitor.template operator()<NativeHeap>();
  }
  return true;
}

}  // namespace arenalab
