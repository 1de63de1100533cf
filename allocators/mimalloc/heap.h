// Microsoft's mimalloc, the installed shared library.
//
// The heap is the process's: two objects of this class are one heap. Linking it
// also replaces the program's malloc, hence a worker of its own.
//
// Settings are mimalloc's options by their names in mimalloc.h without
// `mi_option_` (`mimalloc{decommit_delay:0}`); the launcher sets
// MIMALLOC_DECOMMIT_DELAY and so on, which the library reads when it starts.
//
// Facts: mimalloc.h and the behaviour of 2.0.9: mi_process_info's current_rss
// is the committed figure where the system has no cheap one (Linux).
#pragma once

#include <mimalloc.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "allocators/allocator.h"
#include "allocators/settings.h"

namespace arenalab {

class MimallocHeap {
 public:
  static constexpr Threads kThreads = Threads::kNative;
  static constexpr Heaps kHeaps = Heaps::kOnePerProcess;
  static constexpr std::string_view kName = "mimalloc";

  explicit MimallocHeap(const HeapOptions&) {}
  MimallocHeap(const MimallocHeap&) = delete;
  MimallocHeap& operator=(const MimallocHeap&) = delete;

  // "2.0.9" for mi_version() 209.
  static const char* Version();
  static const void* Code() {
    return reinterpret_cast<const void*>(&mi_malloc);
  }
  // The library ignores a variable that it does not know without a word; this
  // one refuses it, and a number that did not arrive.
  static const char* CheckSettings(std::string_view settings);

  void* Allocate(std::size_t bytes) noexcept { return mi_malloc(bytes); }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
    return mi_calloc(count, bytes);
  }
  // 2.0.9 answers 256 to 1024 bytes, a power of two and a multiple of an
  // alignment of 256 or more, with a block that is not aligned so: it takes a
  // block of the size class, which is not. One byte more takes another way.
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
    void* p = mi_malloc_aligned(bytes, align);
    if (reinterpret_cast<std::uintptr_t>(p) % align != 0) [[unlikely]] {
      mi_free(p);
      p = mi_malloc_aligned(bytes + 1, align);
    }
    return p;
  }
  void* Reallocate(void* p, std::size_t bytes) noexcept {
    return mi_realloc(p, bytes);
  }
  void Free(void* p) noexcept { mi_free(p); }
  std::size_t UsableSize(void* p) const noexcept { return mi_usable_size(p); }

  // committed_bytes alone: 2.0.9 tells no more without walking every heap, and
  // its block visitor sees the calling thread's only.
  HeapSnapshot Snapshot() const noexcept;
};
static_assert(Allocator<MimallocHeap>);

}  // namespace arenalab
