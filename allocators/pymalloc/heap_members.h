// Heap's members. Included by heap.cc, which instantiates every generation, and
// by code that instantiates a generation of its own; by nobody else, or the
// replay loop could inline them (allocators/allocator.h, the equal-call rule).
//
// The names in capitals and dots are CPython's, where a reader who knows
// obmalloc.c looks for them.
#pragma once

#include <bit>
#include <cstring>
#include <limits>

#include "allocators/pymalloc/heap.h"

// The two halves of malloc and free are inlined into their callers, as CPython
// does since 3.8. A sanitizer's build cannot force it: the address test below
// must stay out of its sight, and functions that differ in that do not inline.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ARENALAB_HOT inline
#define ARENALAB_READS_FOREIGN_MEMORY \
  __attribute__((noinline, no_sanitize("address", "thread")))
#else
#define ARENALAB_HOT inline __attribute__((always_inline))
#define ARENALAB_READS_FOREIGN_MEMORY inline __attribute__((always_inline))
#endif
#define ARENALAB_COLD __attribute__((noinline))

namespace arenalab {

// PY_SSIZE_T_MAX: more is refused before anyone is asked.
inline constexpr std::size_t kMaxRequestBytes =
    std::numeric_limits<std::ptrdiff_t>::max();

template <class G>
Heap<G>::Heap(const HeapOptions& options)
    : values_(options.settings),
      arena_source_(options.arena_source),
      raw_source_(options.raw_source),
      metadata_source_(options.metadata_source) {
  const std::size_t lists = LanesOf(policy().lanes) * Values::kMaxClasses;
  for (std::size_t list = 0; list < lists; ++list) {
    PoolHeader* head = PoolAt(Sentinel(list));
    head->next = head->prev = Sentinel(list);
  }
}

template <class G>
Heap<G>::~Heap() {
  for (std::uint32_t i = 0; i < records_.size(); ++i)
    if (records_[i].base != 0)
      arena_source_.release(arena_source_.context,
                            reinterpret_cast<void*>(records_[i].base),
                            geometry().arena_bytes);
  if (policy().address_test == AddressTest::kRadixTree)
    map_.Destroy(radix_shape(), metadata_source_);
  records_.Destroy(metadata_source_);
}

// --- Allocation ------------------------------------------------------------

template <class G>
void* Heap<G>::Allocate(std::size_t bytes) noexcept {
  // Each way out is a return or a tail call, so that the fast one saves no
  // registers.
  if (!IsSmall(geometry(), bytes)) [[unlikely]]
    return AllocateRaw(bytes);
  if (void* block = PopFront(ClassOf(geometry(), bytes)); block != nullptr)
      [[likely]]
    return block;
  return AllocateFromNewPool(bytes);
}

template <class G>
void* Heap<G>::AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
  if (count != 0 && bytes > kMaxRequestBytes / count) return nullptr;
  const std::size_t product = count * bytes;
  if (void* block = TakeBlock(product); block != nullptr)
    return std::memset(block, 0,
                       product);  // the bytes asked for, not the block
  void* block = raw_source_.allocate_zeroed(raw_source_.context, count, bytes);
  if (block != nullptr) ++raw_blocks_;
  return block;
}

template <class G>
void* Heap<G>::AllocateAligned(std::size_t alignment,
                               std::size_t bytes) noexcept {
  if (alignment <= geometry().alignment)
    if (void* block = TakeBlock(bytes); block != nullptr) return block;
  // A raw block has malloc's alignment, whatever the step between classes.
  if (alignment <= alignof(std::max_align_t)) return AllocateRaw(bytes);
  if (bytes > kMaxRequestBytes) return nullptr;
  void* block =
      raw_source_.allocate_aligned(raw_source_.context, alignment, bytes);
  if (block != nullptr) ++raw_blocks_;
  return block;
}

// pymalloc_alloc: nullptr if the request is not ours or no arena could be had.
template <class G>
void* Heap<G>::TakeBlock(std::size_t bytes) {
  if (!IsSmall(geometry(), bytes)) return nullptr;
  const std::uint32_t size_class = ClassOf(geometry(), bytes);
  void* block = PopFront(size_class);
  return block != nullptr ? block : TakeFromNewPool(size_class);
}

// nullptr if no pool of the class has a block.
template <class G>
ARENALAB_HOT void* Heap<G>::PopFront(std::uint32_t size_class) {
  if (policy().decay_bytes != 0)
    block_bytes_asked_ += BlockSize(geometry(), size_class);
  const std::uint64_t head = Sentinel(ListOf(lane_, size_class));
  const std::uint64_t front = PoolAt(head)->next;
  if (front == head) [[unlikely]]
    return nullptr;
  PoolHeader* pool = PoolAt(front);
  ++pool->live_blocks;
  const std::uint64_t block = pool->free_list;
  if (block == 0) __builtin_unreachable();  // P3
  if ((pool->free_list = LinkAt(block)) == 0) [[unlikely]]
    return Refill(pool, block);
  return reinterpret_cast<void*>(block);
}

template <class G>
ARENALAB_COLD void* Heap<G>::AllocateFromNewPool(std::size_t bytes) {
  void* block = TakeFromNewPool(ClassOf(geometry(), bytes));
  return block != nullptr ? block : AllocateRaw(bytes);
}

// pymalloc_pool_extend: the free list of the front pool ran empty. The next
// block is linked now, not at the next request: that writes into a page which
// may be new, and so does CPython. Returns `block`, which the caller took.
template <class G>
ARENALAB_COLD __attribute__((returns_nonnull)) void* Heap<G>::Refill(
    PoolHeader* pool, std::uint64_t block) {
  if (pool->next_offset <= pool->max_next_offset) {
    pool->free_list = AddressOf(pool) + pool->next_offset;
    pool->next_offset += BlockSize(geometry(), pool->size_class);
    LinkAt(pool->free_list) = 0;
    return reinterpret_cast<void*>(block);
  }
  // Full: out of the list until one of its blocks is freed.
  PoolAt(pool->next)->prev = pool->prev;
  PoolAt(pool->prev)->next = pool->next;
  return reinterpret_cast<void*>(block);
}

// allocate_from_new_pool.
template <class G>
ARENALAB_COLD void* Heap<G>::TakeFromNewPool(std::uint32_t size_class) {
  if (policy().decay_bytes != 0) ReleaseExpired();
  PoolHeader* pool = policy().empty_pools == EmptyPools::kOneList
                         ? TakeFreePoolOfOneList()
                         : TakeFreePool();
  if (pool == nullptr) return nullptr;
  pool->live_blocks = 1;
  if constexpr (Values::kMaxLanes > 1)
    pool->lane = static_cast<std::uint16_t>(lane_);
  PushUsed(pool, ListOf(lane_, size_class));
  if (pool->size_class == size_class) {
    // Emptied by the same class: its free list and its frontier still hold. The
    // list has two blocks at least, so the pool stays used.
    const std::uint64_t block = pool->free_list;
    pool->free_list = LinkAt(block);
    return reinterpret_cast<void*>(block);
  }
  const std::size_t size = BlockSize(geometry(), size_class);
  const std::uint64_t block = AddressOf(pool) + geometry().header_bytes;
  pool->size_class = static_cast<std::uint16_t>(size_class);
  pool->max_next_offset =
      static_cast<std::uint32_t>(geometry().pool_bytes - size);
  pool->next_offset =
      static_cast<std::uint32_t>(geometry().header_bytes + 2 * size);
  pool->free_list = block + size;
  LinkAt(pool->free_list) = 0;
  return reinterpret_cast<void*>(block);
}

template <class G>
PoolHeader* Heap<G>::TakeFreePool() {
  ArenaRecord* arena = usable_.front();
  if (arena == nullptr) {
    arena = AcquireArena();
    if (arena == nullptr) return nullptr;
    usable_.AddOnly(arena, policy());
  }
  if (policy().decay_bytes != 0 && arena->free_pools == arena->total_pools)
    decaying_.Drop(records_.IndexOf(arena));
  usable_.PoolTaken(policy());
  if (arena->free_list == 0) return CarvePool(arena);
  PoolHeader* pool = PoolAt(arena->free_list);
  arena->free_list = pool->next;
  return pool;
}

// 2.3 and 2.4: the newest empty pool of any arena, else the next of the one
// arena that is being carved.
template <class G>
PoolHeader* Heap<G>::TakeFreePoolOfOneList() {
  if (free_pools_ != 0) {
    PoolHeader* pool = PoolAt(free_pools_);
    free_pools_ = pool->next;
    return pool;
  }
  if (uncarved_pools_ == 0) {
    ArenaRecord* arena = AcquireArena();
    if (arena == nullptr) return nullptr;
    carving_ = records_.IndexOf(arena);
    uncarved_pools_ = arena->total_pools;
  }
  --uncarved_pools_;
  --records_[carving_].free_pools;
  return CarvePool(&records_[carving_]);
}

template <class G>
PoolHeader* Heap<G>::CarvePool(ArenaRecord* arena) {
  PoolHeader* pool = PoolAt(arena->next_virgin_pool);
  arena->next_virgin_pool += geometry().pool_bytes;
  pool->arena_index = records_.IndexOf(arena);
  pool->size_class = kNoClass;
  pool->lane = 0;
  return pool;
}

// new_arena. What fails gives back what was had before it.
template <class G>
ArenaRecord* Heap<G>::AcquireArena() {
  ArenaRecord* arena = records_.Take(metadata_source_);
  if (arena == nullptr) return nullptr;
  void* memory =
      arena_source_.acquire(arena_source_.context, geometry().arena_bytes);
  const std::uint64_t base = AddressOf(memory);
  if (memory != nullptr && policy().address_test == AddressTest::kRadixTree &&
      !map_.Mark(radix_shape(), base, metadata_source_)) {
    arena_source_.release(arena_source_.context, memory,
                          geometry().arena_bytes);
    memory = nullptr;
  }
  if (memory == nullptr) {
    records_.PutBack(arena);
    return nullptr;
  }
  const std::uint64_t first_pool = FirstPool(geometry(), base);
  const bool aligned = first_pool == base;
  arena->base = base;
  arena->next_virgin_pool = first_pool;
  arena->total_pools =
      static_cast<std::uint32_t>(PoolsPerArena(geometry())) - (aligned ? 0 : 1);
  arena->free_pools = arena->total_pools;
  arena->free_list = 0;
  ++arenas_created_;
  if (++arenas_live_ > arenas_high_water_) arenas_high_water_ = arenas_live_;
  return arena;
}

// --- Free ------------------------------------------------------------------

template <class G>
void Heap<G>::Free(void* p) noexcept {
  if (p == nullptr) return;
  PoolHeader* pool = PoolOf(p);
  if (OwnsInPool(p, pool)) [[likely]] {
    ReturnBlock(p, pool);
    return;
  }
  --raw_blocks_;
  raw_source_.free(raw_source_.context, p);
}

// pymalloc_free.
template <class G>
ARENALAB_HOT void Heap<G>::ReturnBlock(void* p, PoolHeader* pool) {
  const std::uint64_t block = AddressOf(p);
  const std::uint64_t old = pool->free_list;
  if (old != 0 && !ComesFirst(policy().free_list, block, old)) {
    LinkFreeInOrder(pool, block);
  } else {
    LinkAt(block) = old;
    pool->free_list = block;
  }
  --pool->live_blocks;
  if (old == 0) [[unlikely]] {
    // Was full and in no list. It has a second block, so it is not empty now.
    PushUsed(pool, ListOf(pool->lane, pool->size_class));
    return;
  }
  if (pool->live_blocks != 0) [[likely]] {
    // The pool stays where it is in its list.
    if (MovesOnFree(policy().pool_choice)) SortUsed(pool);
    return;
  }
  PoolBecameEmpty(pool);
}

// To the front, where allocation looks; elsewhere by another PoolChoice.
template <class G>
ARENALAB_HOT void Heap<G>::PushUsed(PoolHeader* pool, std::size_t list) {
  std::uint64_t left = Sentinel(list);
  if (policy().pool_choice != PoolChoice::kRecent)
    for (std::uint64_t at = PoolAt(left)->next;
         at != Sentinel(list) &&
         !ComesFirst(policy().pool_choice, *pool, *PoolAt(at));
         at = PoolAt(at)->next)
      left = at;
  LinkUsed(pool, left);
}

template <class G>
ARENALAB_HOT void Heap<G>::LinkUsed(PoolHeader* pool, std::uint64_t left) {
  const std::uint64_t right = PoolAt(left)->next;
  pool->next = right;
  pool->prev = left;
  PoolAt(right)->prev = AddressOf(pool);
  PoolAt(left)->next = AddressOf(pool);
}

// insert_to_freepool.
template <class G>
ARENALAB_COLD void Heap<G>::PoolBecameEmpty(PoolHeader* pool) {
  PoolAt(pool->next)->prev = pool->prev;
  PoolAt(pool->prev)->next = pool->next;
  if (policy().discard_free_pools) DiscardPages(pool);
  // Class, free list and frontier stay: the same class may take it up again.
  if (policy().empty_pools == EmptyPools::kOneList) {
    pool->next = free_pools_;
    free_pools_ = AddressOf(pool);
    return;
  }
  ArenaRecord* arena = &records_[pool->arena_index];
  pool->next = arena->free_list;
  arena->free_list = AddressOf(pool);
  const bool released = usable_.PoolReturned(arena, policy());
  if (released) ReleaseArena(arena);
  if (policy().decay_bytes == 0) return;
  if (!released && arena->free_pools == arena->total_pools)
    decaying_.Add(records_.IndexOf(arena), block_bytes_asked_);
  ReleaseExpired();
}

template <class G>
void Heap<G>::ReleaseArena(ArenaRecord* arena) {
  const std::uint64_t base = arena->base;
  records_.PutBack(arena);
  if (policy().address_test == AddressTest::kRadixTree)
    map_.Unmark(radix_shape(), base);
  --arenas_live_;
  arena_source_.release(arena_source_.context, reinterpret_cast<void*>(base),
                        geometry().arena_bytes);
}

// --- Is it ours? -----------------------------------------------------------

// address_in_range. With kPoolIndex the word read may be anything: it is one
// only if the arena it names really spans `p`.
template <class G>
ARENALAB_READS_FOREIGN_MEMORY bool Heap<G>::OwnsInPool(
    const void* p, const PoolHeader* pool) const {
  if (policy().address_test == AddressTest::kRadixTree)
    return map_.Contains(radix_shape(), AddressOf(p));
  const std::uint32_t index =
      *static_cast<const volatile std::uint32_t*>(&pool->arena_index);
  return index < records_.size() &&
         AddressOf(p) - records_[index].base < geometry().arena_bytes &&
         records_[index].base != 0;
}

template <class G>
bool Heap<G>::Owns(const void* p) const noexcept {
  return p != nullptr && OwnsInPool(p, PoolOf(p));
}

}  // namespace arenalab

#include "allocators/pymalloc/heap_policies.h"
#include "allocators/pymalloc/heap_raw.h"
#include "allocators/pymalloc/heap_walk.h"
