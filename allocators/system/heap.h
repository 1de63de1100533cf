// The C library's malloc, or whatever library was preloaded in its place.
//
// The heap is the process's: two objects of this class are one heap.
//
// Settings are glibc's malloc tunables (`system{arena_max:1}`); they act before
// main() through GLIBC_TUNABLES, which the launcher sets. With kPreloaded
// mallinfo2() would tell of glibc's unused heap, so Snapshot() tells nothing.
//
// Facts: mallinfo2(3), the GNU C Library manual "Memory Allocation Tunables",
// malloc/malloc.c of 2.36.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "allocators/allocator.h"

namespace arenalab {

class SystemHeap {
 public:
  static constexpr Threads kThreads = Threads::kNative;
  static constexpr Heaps kHeaps = Heaps::kOnePerProcess;
  static constexpr std::string_view kName = "system";
  // The settings that say that a library by path serves the requests.
  static constexpr std::string_view kPreloaded = "preloaded";

  explicit SystemHeap(const HeapOptions& options)
      : preloaded_(options.settings == kPreloaded) {}
  SystemHeap(const SystemHeap&) = delete;
  SystemHeap& operator=(const SystemHeap&) = delete;

  // The C library's; "" where another library serves malloc.
  static const char* Version();
  static const void* Code() { return reinterpret_cast<const void*>(&malloc); }

  // glibc ignores a tunable that it does not know without a word; this refuses
  // it. For kPreloaded: does a library serve all four of malloc, calloc,
  // realloc and free?
  static const char* CheckSettings(std::string_view settings);

  // A preloaded malloc may answer zero bytes with nullptr: ask for one.
  void* Allocate(std::size_t bytes) noexcept {
    return std::malloc(bytes == 0 ? 1 : bytes);
  }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
    if (count == 0 || bytes == 0) return std::calloc(1, 1);
    return std::calloc(count, bytes);
  }
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
    void* p = nullptr;
    if (align < sizeof(void*)) align = sizeof(void*);
    return posix_memalign(&p, align, bytes == 0 ? 1 : bytes) == 0 ? p : nullptr;
  }
  // realloc(p, 0) would free p.
  void* Reallocate(void* p, std::size_t bytes) noexcept {
    return std::realloc(p, bytes == 0 ? 1 : bytes);
  }
  void Free(void* p) noexcept { std::free(p); }
  std::size_t UsableSize(void* p) const noexcept {
    return malloc_usable_size(p);
  }

  // malloc_usable_size() of a preloaded library would be the C library's.
  bool TellsUsableSize() const noexcept { return !preloaded_; }
  // mallinfo2() walks every free chunk of the heap.
  bool SlowSnapshot() const noexcept { return !preloaded_; }

  // live_block_bytes counts what lies in the thread caches as live: to
  // mallinfo2() a cached chunk is in use.
  HeapSnapshot Snapshot() const noexcept {
    if (preloaded_) return {};
    const struct mallinfo2 info = mallinfo2();
    return {.held_bytes = static_cast<std::int64_t>(info.arena + info.hblkhd),
            .live_block_bytes =
                static_cast<std::int64_t>(info.uordblks + info.hblkhd)};
  }

 private:
  bool preloaded_;
};
static_assert(Allocator<SystemHeap>);

}  // namespace arenalab
