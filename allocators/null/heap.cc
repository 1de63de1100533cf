// The allocator that does nothing; contract in heap.h.
#include "allocators/null/heap.h"

#include <sys/mman.h>

namespace arenalab {
namespace {

// Address space only; halved where the system grants less.
constexpr std::size_t kLargestBytes = std::size_t{64} << 30;

}  // namespace

NullHeap::NullHeap(const HeapOptions&) {
  for (std::size_t bytes = kLargestBytes; bytes >= kStartBytes; bytes /= 2) {
    void* base = mmap(nullptr, kStartBytes + bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) continue;
    // A huge page behind one 16-byte touch would be charged to the replayer.
    madvise(base, kStartBytes + bytes, MADV_NOHUGEPAGE);
    base_ = reinterpret_cast<std::uintptr_t>(base);
    largest_bytes_ = bytes;
    return;
  }
}

NullHeap::~NullHeap() {
  if (base_ != 0) {
    munmap(reinterpret_cast<void*>(base_), kStartBytes + largest_bytes_);
  }
}

void* NullHeap::AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
  std::size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return nullptr;
  return Allocate(total);
}

void* NullHeap::AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
  std::size_t total;
  if (__builtin_add_overflow(align, bytes, &total) || total > largest_bytes_) {
    return nullptr;
  }
  cursor_ = (cursor_ + kStepBytes) % kStartBytes;
  return reinterpret_cast<void*>((base_ + cursor_ + align - 1) & ~(align - 1));
}

void* NullHeap::Reallocate(void*, std::size_t bytes) noexcept {
  return Allocate(bytes);
}

std::size_t NullHeap::UsableSize(void* p) const noexcept {
  if (p == nullptr) return 0;
  return base_ + kStartBytes + largest_bytes_ -
         reinterpret_cast<std::uintptr_t>(p);
}

// Holds nothing for anybody: the scratch mapping is the replayer's.
HeapSnapshot NullHeap::Snapshot() const noexcept {
  return {.held_bytes = 0, .live_block_bytes = 0, .metadata_bytes = 0};
}

}  // namespace arenalab
