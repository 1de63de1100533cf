// pymalloc once more, as simple as it can be said: lists and maps, no memory of
// its own, addresses as numbers. Written from the rules alone and sharing no
// line with allocators/pymalloc, it is the judge of what an edit of a recording
// changes. Generations 3.7.4 to 3.14.
//
// Slow, and for tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace arenalab {

struct NaiveRules {
  std::uint64_t arena_bytes;
  std::uint64_t pool_bytes;
  bool keeps_one_arena;  // 3.9+
};

// Blocks are addresses; 0 is "not mine".
class NaivePymalloc {
 public:
  explicit NaivePymalloc(const NaiveRules& rules) : rules_(rules) {}

  // Arenas that the interpreter was given and the model has not asked for yet.
  std::deque<std::uint64_t> offered;
  // Arenas that the model gave back, oldest first.
  std::deque<std::uint64_t> returned;
  // The model wanted an arena that nobody offered.
  bool starved = false;

  std::uint64_t Malloc(std::uint64_t n) {
    if (n == 0 || n > 512) return 0;
    const std::uint64_t size = (n + 15) / 16 * 16;
    std::list<Pool*>& used = used_[size];
    if (used.empty()) {
      Pool* pool = FreshPool();
      if (pool == nullptr) return 0;
      if (pool->size != size) {  // else its free list is as it was left
        pool->size = size;
        pool->free = {pool->base + 48};
        pool->virgin = pool->base + 48 + size;
      }
      used.push_front(pool);
    }
    Pool* pool = used.front();
    const std::uint64_t block = pool->free.back();
    pool->free.pop_back();
    ++pool->live;
    if (pool->free.empty()) {
      if (pool->virgin + size <= pool->base + rules_.pool_bytes) {
        pool->free.push_back(pool->virgin);
        pool->virgin += size;
      } else {
        used.pop_front();
      }
    }
    return block;
  }

  // REQUIRES: a live block of Malloc's or Realloc's.
  void Free(std::uint64_t block) {
    Pool* pool = PoolOf(block);
    const bool was_full = pool->free.empty();
    pool->free.push_back(block);
    --pool->live;
    if (was_full) used_[pool->size].push_front(pool);
    if (pool->live > 0) return;
    used_[pool->size].remove(pool);
    Arena* arena = pool->arena;
    arena->empty.push_back(pool);
    auto at = std::find(usable_.begin(), usable_.end(), arena);
    const bool last = at != usable_.end() && std::next(at) == usable_.end();
    ++arena->available;
    if (arena->available == arena->pools.size() &&
        !(rules_.keeps_one_arena && last)) {
      returned.push_back(arena->base);
      if (at != usable_.end()) usable_.erase(at);
      arenas_.erase(arena->base);
      return;
    }
    if (at == usable_.end()) {
      usable_.push_front(arena);
      return;
    }
    // To the right of every arena with fewer free pools than it has now.
    auto next = usable_.erase(at);
    while (next != usable_.end() && (*next)->available < arena->available) {
      ++next;
    }
    usable_.insert(next, arena);
  }

  // REQUIRES: as Free.
  std::uint64_t Realloc(std::uint64_t block, std::uint64_t n) {
    const std::uint64_t size = PoolOf(block)->size;
    if (n <= size && 4 * n > 3 * size) return block;
    const std::uint64_t moved = Malloc(n);
    Free(block);
    return moved;
  }

 private:
  struct Arena;
  struct Pool {
    Arena* arena;
    std::uint64_t base;
    std::uint64_t size = 0;
    std::uint64_t virgin = 0;
    std::uint64_t live = 0;
    std::vector<std::uint64_t> free{};
  };
  struct Arena {
    std::uint64_t base;
    std::uint64_t available = 0;
    std::size_t carved = 0;
    std::vector<std::unique_ptr<Pool>> pools{};
    std::vector<Pool*> empty{};
  };

  Pool* PoolOf(std::uint64_t block) {
    Arena& arena = *std::prev(arenas_.upper_bound(block))->second;
    return arena.pools[(block - arena.pools.front()->base) / rules_.pool_bytes]
        .get();
  }

  Pool* FreshPool() {
    if (usable_.empty()) {
      if (offered.empty()) {
        starved = true;
        return nullptr;
      }
      const std::uint64_t base = offered.front();
      offered.pop_front();
      auto arena = std::make_unique<Arena>(Arena{.base = base});
      const std::uint64_t first = (base + rules_.pool_bytes - 1) /
                                  rules_.pool_bytes * rules_.pool_bytes;
      for (std::uint64_t at = first;
           at + rules_.pool_bytes <= base + rules_.arena_bytes;
           at += rules_.pool_bytes) {
        arena->pools.push_back(
            std::make_unique<Pool>(Pool{.arena = arena.get(), .base = at}));
      }
      arena->available = arena->pools.size();
      usable_.push_back(arena.get());
      arenas_[base] = std::move(arena);
    }
    Arena* arena = usable_.front();
    Pool* pool;
    if (arena->empty.empty()) {
      pool = arena->pools[arena->carved++].get();
    } else {
      pool = arena->empty.back();
      arena->empty.pop_back();
    }
    if (--arena->available == 0) usable_.pop_front();
    return pool;
  }

  NaiveRules rules_;
  std::map<std::uint64_t, std::unique_ptr<Arena>> arenas_;
  std::list<Arena*> usable_;  // fewest free pools first
  std::map<std::uint64_t, std::list<Pool*>> used_;
};

}  // namespace arenalab
