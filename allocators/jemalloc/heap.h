// jemalloc, linked from the installed static archive.
//
// The heap is the process's: two objects of this class are one heap. Linking it
// also replaces the program's malloc, hence a worker of its own.
//
// Settings are jemalloc's options (`jemalloc{dirty_decay_ms:0}`); the launcher
// hands them over as MALLOC_CONF, which has the same form.
//
// Facts: jemalloc(3) of 5.3.0, its mallctl namespace.
#pragma once

#include <jemalloc/jemalloc.h>

#include <cstddef>
#include <string_view>

#include "allocators/allocator.h"
#include "allocators/settings.h"

namespace arenalab {

class JemallocHeap {
 public:
  static constexpr Threads kThreads = Threads::kNative;
  static constexpr Heaps kHeaps = Heaps::kOnePerProcess;
  static constexpr std::string_view kName = "jemalloc";

  explicit JemallocHeap(const HeapOptions&) {}
  JemallocHeap(const JemallocHeap&) = delete;
  JemallocHeap& operator=(const JemallocHeap&) = delete;

  static const char* Version();
  static const void* Code() { return reinterpret_cast<const void*>(&mallctl); }
  // jemalloc warns of a wrong option and goes on; this refuses it, and a
  // number that did not arrive.
  static const char* CheckSettings(std::string_view settings);

  void* Allocate(std::size_t bytes) noexcept { return malloc(bytes); }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
    return calloc(count, bytes);
  }
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
    void* p = nullptr;
    if (align < sizeof(void*)) align = sizeof(void*);
    return posix_memalign(&p, align, bytes) == 0 ? p : nullptr;
  }
  // realloc(p, 0) would free p (opt.zero_realloc).
  void* Reallocate(void* p, std::size_t bytes) noexcept {
    return realloc(p, bytes == 0 ? 1 : bytes);
  }
  void Free(void* p) noexcept { free(p); }
  std::size_t UsableSize(void* p) const noexcept {
    return malloc_usable_size(p);
  }

  // held_bytes      stats.mapped: active, dirty and muzzy extents, metadata
  // committed_bytes stats.resident: the most that these can have resident
  // live_block_bytes stats.allocated without what the thread caches hold,
  //                 which jemalloc counts as allocated. (Flushing the caches
  //                 instead would change the replay that is being sampled.)
  // metadata_bytes  stats.metadata
  HeapSnapshot Snapshot() const noexcept;
};
static_assert(Allocator<JemallocHeap>);

}  // namespace arenalab
