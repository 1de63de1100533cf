// Heap's members for realloc, and for what goes to the raw source. Part of
// heap_members.h, which includes it.
#pragma once

#include <cstring>

#include "allocators/pymalloc/heap.h"

namespace arenalab {

template <class G>
void* Heap<G>::Reallocate(void* p, std::size_t bytes) noexcept {
  if (p == nullptr) return Allocate(bytes);
  if (bytes > kMaxRequestBytes) return nullptr;
  PoolHeader* pool = PoolOf(p);
  if (!OwnsInPool(p, pool)) return ReallocateRaw(p, bytes);
  const std::size_t size = BlockSize(geometry(), pool->size_class);
  if (bytes <= size && 4 * bytes > 3 * size) return p;
  // A block of its own first, even in the same class; then the old one goes.
  void* moved = Allocate(bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, p, bytes < size ? bytes : size);
  ReturnBlock(p, pool);
  return moved;
}

template <class G>
ARENALAB_COLD void* Heap<G>::ReallocateRaw(void* p, std::size_t bytes) {
  if (!policy().realloc_takes_over || bytes > geometry().max_small_bytes)
    return raw_source_.reallocate(raw_source_.context, p, bytes);
  void* moved = Allocate(bytes == 0 ? 1 : bytes);
  if (moved == nullptr) return nullptr;
  // CPython copied `bytes`, past the end of a raw block that was smaller.
  const std::size_t old = raw_source_.usable_size(raw_source_.context, p);
  std::memcpy(moved, p, bytes < old ? bytes : old);
  --raw_blocks_;
  raw_source_.free(raw_source_.context, p);
  return moved;
}

template <class G>
ARENALAB_COLD void* Heap<G>::AllocateRaw(std::size_t bytes) {
  if (bytes > kMaxRequestBytes) return nullptr;
  void* block = raw_source_.allocate(raw_source_.context, bytes);
  if (block != nullptr) ++raw_blocks_;
  return block;
}

}  // namespace arenalab
