// The allocator that does nothing: what a replay on it costs is the replayer's
// own cost, and `net` times are a heap's minus this one's.
//
//   | 64 KiB of starts, handed out in turn, 16 bytes apart | room behind |
//
// Every block lies inside one scratch mapping, so that every touch policy is
// safe up to kLargestBytes. Blocks overlap: they hold nothing. Nothing is
// freed. One thread.
//
// Inlined into the replay loop, as pymalloc is: a call here would be taken for
// the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "allocators/allocator.h"

namespace arenalab {

class NullHeap {
 public:
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kMany;
  static constexpr std::string_view kName = "null";
  // Blocks share bytes: neither contents nor zeroes can be relied on.
  static constexpr bool kHoldsContents = false;

  explicit NullHeap(const HeapOptions& options);
  ~NullHeap();
  NullHeap(const NullHeap&) = delete;
  NullHeap& operator=(const NullHeap&) = delete;

  void* Allocate(std::size_t bytes) noexcept {
    if (bytes > largest_bytes_) return nullptr;
    cursor_ = (cursor_ + kStepBytes) % kStartBytes;
    return reinterpret_cast<void*>(base_ + cursor_);
  }
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept;
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept;
  void* Reallocate(void* p, std::size_t bytes) noexcept;
  // The pointer is wanted all the same, or the loop's read of it would go.
  void Free(void* p) noexcept { asm volatile("" : : "r"(p)); }
  std::size_t UsableSize(void* p) const noexcept;
  // Blocks overlap: their sizes have no sum.
  bool TellsUsableSize() const noexcept { return false; }
  HeapSnapshot Snapshot() const noexcept;

 private:
  // Few enough to stay in the second-level cache, so that touching costs what
  // touching costs and no more.
  static constexpr std::uintptr_t kStartBytes = 64 << 10;
  static constexpr std::uintptr_t kStepBytes = 16;

  std::uintptr_t base_ = 0;
  std::uintptr_t cursor_ = 0;      // offset of the last start, < kStartBytes
  std::size_t largest_bytes_ = 0;  // what is mapped behind the last start
};
static_assert(Allocator<NullHeap>);

}  // namespace arenalab
