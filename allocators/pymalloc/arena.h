// Arena records, and the list of arenas that still have a free pool.
//
//   arena    base            first pool                     base + arena_bytes
//            | lost | pool | pool | pool |  never carved ...     | lost |
//                     \___ carved ______/ ^ next_virgin_pool
//
// The lost part is nothing if base % pool_bytes == 0; otherwise head and tail
// together are one pool. total_pools is what remains.
//
// USABLE LIST. Exactly the arenas with a free pool, fewest free pools first, so
// that allocation fills the fullest and the emptiest can drain. Ties: the
// newest arrival is leftmost of its group.
//
// FINGERS (3.8+). last_with_[f] is the rightmost usable arena with f free
// pools, or nullptr. A pure accelerator: the order is that of the walk.
//
// INVARIANTS, asserted by CheckHeap() by number:
//   A1  free_pools == pools on the arena's free list + pools never carved.
//   A2  an arena is in the usable list if and only if free_pools > 0.
//   A3  the usable list is sorted by free_pools, ascending (or as ArenaChoice
//       says instead), and its prev links mirror its next links.
//   A4  with fingers, last_with_[f] is the rightmost arena with f, for all f.
//   A5  a free pool has no live block and names its arena.
//   A6  at most keep_arenas usable arenas are wholly free.
//
// OWNERSHIP. The record array belongs to the table and comes from the metadata
// source. It moves only while the usable and the unused list are both empty, so
// links are plain pointers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "allocators/arena_source.h"
#include "allocators/pymalloc/geometry.h"

namespace arenalab {

struct ArenaRecord {
  std::uint64_t base;              // as the source returned it; 0: slot unused
  std::uint64_t next_virgin_pool;  // the pool that will be carved next
  std::uint32_t free_pools;        // free-listed plus never carved
  std::uint32_t total_pools;
  std::uint64_t free_list;  // empty pools, linked by PoolHeader::next
  ArenaRecord* next;        // in the usable or the unused list
  ArenaRecord* prev;        // in the usable list
};
static_assert(sizeof(ArenaRecord) == 48, "as in CPython: it is in metadata");

inline std::uint64_t FirstPool(const GeometryValues& geometry,
                               std::uint64_t base) {
  return (base + geometry.pool_bytes - 1) & ~(geometry.pool_bytes - 1);
}

// The growing array of records: 16, 32, 64 ... slots.
class ArenaRecords {
 public:
  ArenaRecords() = default;
  ArenaRecords(const ArenaRecords&) = delete;
  ArenaRecords& operator=(const ArenaRecords&) = delete;

  // An unused slot, or nullptr if the array could not grow. The caller owns it
  // until PutBack().
  ArenaRecord* Take(const RawSource& metadata);
  // Last in, first out.
  void PutBack(ArenaRecord* record) {
    record->base = 0;
    record->next = unused_;
    unused_ = record;
  }
  void Destroy(const RawSource& metadata);

  std::uint32_t IndexOf(const ArenaRecord* record) const {
    return static_cast<std::uint32_t>(record - records_);
  }
  std::uint32_t size() const { return size_; }
  ArenaRecord& operator[](std::uint32_t index) { return records_[index]; }
  const ArenaRecord& operator[](std::uint32_t index) const {
    return records_[index];
  }

 private:
  ArenaRecord* records_ = nullptr;
  ArenaRecord* unused_ = nullptr;
  std::uint32_t size_ = 0;
};

// The usable list. kMaxPools bounds the pools of one arena.
template <std::size_t kMaxPools>
class UsableArenas {
 public:
  ArenaRecord* front() const { return front_; }
  // The finger; a reference, so that a test can break it.
  ArenaRecord*& last_with(std::size_t free_pools) {
    return last_with_[free_pools];
  }

  // REQUIRES: the list is empty; arena->free_pools > 0.
  void AddOnly(ArenaRecord* arena, const PolicyValues& policy) {
    arena->next = arena->prev = nullptr;
    front_ = arena;
    if (UsesFingers(policy)) last_with_[arena->free_pools] = arena;
  }

  // A pool of the front arena is being used; drops the arena if it was the
  // last.
  void PoolTaken(const PolicyValues& policy) {
    ArenaRecord* arena = front_;
    const std::uint32_t old = arena->free_pools--;
    if (UsesFingers(policy)) {
      if (last_with_[old] == arena) last_with_[old] = nullptr;
      if (old > 1) last_with_[old - 1] = arena;
    }
    if (old > 1) {  // it had the fewest, and still has
      if (policy.arena_choice == ArenaChoice::kEmptiest) SortByMost(arena);
      return;
    }
    front_ = arena->next;
    if (front_ != nullptr) front_->prev = nullptr;
  }

  // A pool of `arena` became empty. Counts it; true if the arena is wholly free
  // and to be released, and then it is out of the list. Otherwise the arena is
  // where its new count belongs. The test comes before any sorting: an arena
  // that is last is kept even if it would not stay last.
  bool PoolReturned(ArenaRecord* arena, const PolicyValues& policy) {
    if (policy.arena_choice != ArenaChoice::kFullest)
      return PoolReturnedUnsorted(arena, policy);
    const bool fingers = UsesFingers(policy);
    const std::uint32_t old = arena->free_pools;
    ArenaRecord* last = nullptr;
    if (fingers) {
      last = last_with_[old];
      if (last == arena) {
        ArenaRecord* prev = arena->prev;
        last_with_[old] =
            prev != nullptr && prev->free_pools == old ? prev : nullptr;
      }
    }
    const std::uint32_t now = ++arena->free_pools;
    if (now == arena->total_pools && Followers(arena, policy.keep_arenas)) {
      if (now > 1) Unlink(arena);
      return true;
    }
    if (fingers && last_with_[now] == nullptr) last_with_[now] = arena;
    if (now == 1) {
      InsertFront(arena);
      return false;
    }
    if (fingers) {
      if (arena != last) {
        Unlink(arena);
        InsertAfter(arena, last);
      }
      return false;
    }
    ArenaRecord* right = arena->next;
    if (right == nullptr || right->free_pools >= now) return false;
    Unlink(arena);
    while (right->next != nullptr && right->next->free_pools < now)
      right = right->next;
    InsertAfter(arena, right);
    return false;
  }

  // The steps that the above are made of. They know no order.
  void Unlink(ArenaRecord* arena) {
    (arena->prev == nullptr ? front_ : arena->prev->next) = arena->next;
    if (arena->next != nullptr) arena->next->prev = arena->prev;
  }
  void InsertFront(ArenaRecord* arena) {
    arena->next = front_;
    arena->prev = nullptr;
    if (front_ != nullptr) front_->prev = arena;
    front_ = arena;
  }
  static void InsertAfter(ArenaRecord* arena, ArenaRecord* left) {
    arena->prev = left;
    arena->next = left->next;
    if (left->next != nullptr) left->next->prev = arena;
    left->next = arena;
  }

 private:
  static bool UsesFingers(const PolicyValues& policy) {
    return policy.arena_choice == ArenaChoice::kFullest &&
           policy.arena_sort == ArenaSort::kFingers;
  }

  // PoolReturned() for the orders that are not CPython's.
  bool PoolReturnedUnsorted(ArenaRecord* arena, const PolicyValues& policy) {
    const std::uint32_t now = ++arena->free_pools;
    if (now == arena->total_pools && WhollyFree(arena) >= policy.keep_arenas) {
      if (now > 1) Unlink(arena);
      return true;
    }
    if (policy.arena_choice == ArenaChoice::kEmptiest) {
      if (now == 1) InsertFront(arena);
      SortByMost(arena);
    } else if (now == 1) {
      ArenaRecord* left = nullptr;
      if (policy.arena_choice == ArenaChoice::kAddress)
        for (ArenaRecord* at = front_; at != nullptr && at->base < arena->base;
             at = at->next)
          left = at;
      Insert(arena, left);
    }
    return false;
  }
  // Usable arenas that are wholly free, not counting this one.
  std::size_t WhollyFree(const ArenaRecord* but) const {
    std::size_t count = 0;
    for (const ArenaRecord* at = front_; at != nullptr; at = at->next)
      if (at != but && at->free_pools == at->total_pools) ++count;
    return count;
  }
  // To the left of all arenas with as many free pools or fewer.
  void SortByMost(ArenaRecord* arena) {
    Unlink(arena);
    ArenaRecord* left = nullptr;
    for (ArenaRecord* at = front_;
         at != nullptr && at->free_pools > arena->free_pools; at = at->next)
      left = at;
    Insert(arena, left);
  }

  // Do at least `count` arenas follow?
  static bool Followers(const ArenaRecord* arena, std::size_t count) {
    for (; count > 0 && arena != nullptr; --count) arena = arena->next;
    return arena != nullptr;
  }
  // nullptr: to the front.
  void Insert(ArenaRecord* arena, ArenaRecord* left) {
    if (left == nullptr)
      InsertFront(arena);
    else
      InsertAfter(arena, left);
  }

  ArenaRecord* front_ = nullptr;
  std::array<ArenaRecord*, kMaxPools + 1> last_with_{};
};

}  // namespace arenalab
