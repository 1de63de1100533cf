// The list of arenas that still have a free pool (arena_record.h).
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
//   A3  the usable list is sorted by free_pools, ascending (or as the
//   ArenaChoice
//       says instead), and its prev links mirror its next links.
//   A4  with fingers, last_with_[f] is the rightmost arena with f, for all f.
//   A5  a free pool has no live block and names its arena.
//   A6  at most keep_arenas usable arenas are wholly free.
//   A7  with decay_bytes, exactly these are among DecayingArenas.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/arena_record.h"
#include "allocators/pymalloc/policy.h"

namespace arenalab {

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
      if (policy.arena_choice != ArenaChoice::kFullest &&
          MovesWithCount(policy.arena_choice)) {
        Unlink(arena);
        InsertInOrder(arena, policy);
      }
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
      return PoolReturnedInOrder(arena, policy);
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

  // A wholly free arena that was kept is given up after all.
  void Remove(ArenaRecord* arena, const PolicyValues& policy) {
    if (UsesFingers(policy) && last_with_[arena->free_pools] == arena) {
      ArenaRecord* prev = arena->prev;
      last_with_[arena->free_pools] =
          prev != nullptr && prev->free_pools == arena->free_pools ? prev
                                                                   : nullptr;
    }
    Unlink(arena);
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
  bool PoolReturnedInOrder(ArenaRecord* arena, const PolicyValues& policy) {
    const std::uint32_t now = ++arena->free_pools;
    if (now == arena->total_pools && WhollyFree(arena) >= policy.keep_arenas) {
      if (now > 1) Unlink(arena);
      return true;
    }
    if (now > 1) {
      if (!MovesWithCount(policy.arena_choice)) return false;
      Unlink(arena);
    }
    InsertInOrder(arena, policy);
    return false;
  }
  // Usable arenas that are wholly free, not counting this one.
  std::size_t WhollyFree(const ArenaRecord* but) const {
    std::size_t count = 0;
    for (const ArenaRecord* at = front_; at != nullptr; at = at->next)
      if (at != but && at->free_pools == at->total_pools) ++count;
    return count;
  }
  // In front of the first that it does not come behind.
  void InsertInOrder(ArenaRecord* arena, const PolicyValues& policy) {
    ArenaRecord* left = nullptr;
    for (ArenaRecord* at = front_;
         at != nullptr && !ComesFirst(policy.arena_choice, *arena, *at);
         at = at->next)
      left = at;
    if (left == nullptr)
      InsertFront(arena);
    else
      InsertAfter(arena, left);
  }

  // Do at least `count` arenas follow?
  static bool Followers(const ArenaRecord* arena, std::size_t count) {
    for (; count > 0 && arena != nullptr; --count) arena = arena->next;
    return arena != nullptr;
  }

  ArenaRecord* front_ = nullptr;
  std::array<ArenaRecord*, kMaxPools + 1> last_with_{};
};

}  // namespace arenalab
