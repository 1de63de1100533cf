// The allocator that never reuses: a pointer that only goes up. What a program
// costs on it is the price of never reusing memory, in pages and in faults; the
// simplest correct heap to compare with.
//
//   | Chunk | size | block | size | block | ... | never touched |
//                                          ^ cursor             ^ limit
//
// A request above kOwnMappingBytes gets a chunk of its own. Free() does
// nothing. Blocks are aligned to 16 bytes; the size in front of each serves
// Reallocate's copy. Nothing but the headers and the blocks' own writes touches
// a page. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "allocators/allocator.h"

namespace arenalab {

class BumpHeap {
 public:
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kMany;
  static constexpr std::string_view kName = "bump";

  static constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
  static constexpr std::size_t kOwnMappingBytes = kChunkBytes / 4;

  explicit BumpHeap(const HeapOptions& options);
  ~BumpHeap();
  BumpHeap(const BumpHeap&) = delete;
  BumpHeap& operator=(const BumpHeap&) = delete;

  void* Allocate(std::size_t bytes) noexcept;
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept;
  void* AllocateAligned(std::size_t align, std::size_t bytes) noexcept;
  // In place where the block is large enough, else a copy.
  void* Reallocate(void* p, std::size_t bytes) noexcept;
  void Free(void* p) noexcept;
  std::size_t UsableSize(void* p) const noexcept;
  // held_bytes: all chunks. metadata_bytes: their headers and the blocks'.
  HeapSnapshot Snapshot() const noexcept;

 private:
  struct Chunk {
    Chunk* next;
    std::size_t bytes;
  };
  Chunk* MapChunk(std::size_t bytes) noexcept;

  Chunk* chunks_ = nullptr;
  std::uintptr_t cursor_ = 0;
  std::uintptr_t limit_ = 0;
  std::int64_t held_bytes_ = 0;
  std::int64_t chunks_created_ = 0;
  std::int64_t blocks_ = 0;
};
static_assert(Allocator<BumpHeap>);

}  // namespace arenalab
