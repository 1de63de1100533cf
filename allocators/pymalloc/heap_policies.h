// Heap's members that CPython does not have: other orders than its own, pages
// given back, arenas that decay, requests with a hint. Part of heap_members.h,
// which includes it.
#pragma once

#include "allocators/pymalloc/heap.h"

namespace arenalab {

template <class G>
void* Heap<G>::AllocateHinted(std::size_t bytes,
                              const RequestHint& hint) noexcept {
  lane_ = LaneOf(policy().lanes, hint);
  void* block = Allocate(bytes);
  lane_ = 0;
  return block;
}

template <class G>
void* Heap<G>::AllocateZeroedHinted(std::size_t count, std::size_t bytes,
                                    const RequestHint& hint) noexcept {
  lane_ = LaneOf(policy().lanes, hint);
  void* block = AllocateZeroed(count, bytes);
  lane_ = 0;
  return block;
}

template <class G>
void* Heap<G>::ReallocateHinted(void* p, std::size_t bytes,
                                const RequestHint& hint) noexcept {
  lane_ = LaneOf(policy().lanes, hint);
  void* block = Reallocate(p, bytes);
  lane_ = 0;
  return block;
}

// A block was freed, so others may come first now.
template <class G>
ARENALAB_COLD void Heap<G>::SortUsed(PoolHeader* pool) {
  const std::uint64_t end = Sentinel(ListOf(pool->lane, pool->size_class));
  std::uint64_t left = AddressOf(pool);
  while (PoolAt(left)->next != end &&
         !ComesFirst(policy().pool_choice, *pool, *PoolAt(PoolAt(left)->next)))
    left = PoolAt(left)->next;
  if (left == AddressOf(pool)) return;
  PoolAt(pool->next)->prev = pool->prev;
  PoolAt(pool->prev)->next = pool->next;
  LinkUsed(pool, left);
}

// `block` does not come before the first free one.
template <class G>
ARENALAB_COLD void Heap<G>::LinkFreeInOrder(PoolHeader* pool,
                                            std::uint64_t block) {
  std::uint64_t left = pool->free_list;
  while (LinkAt(left) != 0 &&
         !ComesFirst(policy().free_list, block, LinkAt(left)))
    left = LinkAt(left);
  LinkAt(block) = LinkAt(left);
  LinkAt(left) = block;
}

template <class G>
void Heap<G>::DiscardPages(PoolHeader* pool) {
  if (arena_source_.discard == nullptr) return;
  pool->size_class = kNoClass;  // its blocks must be set up anew
  arena_source_.discard(
      arena_source_.context,
      reinterpret_cast<void*>(AddressOf(pool) + kDiscardedPageBytes),
      geometry().pool_bytes - kDiscardedPageBytes);
}

template <class G>
ARENALAB_COLD void Heap<G>::ReleaseExpired() {
  std::uint32_t index;
  while (decaying_.Expired(block_bytes_asked_, policy().decay_bytes, &index)) {
    decaying_.Drop(index);
    usable_.Remove(&records_[index], policy());
    ReleaseArena(&records_[index]);
  }
}

}  // namespace arenalab
