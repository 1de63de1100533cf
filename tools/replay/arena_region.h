// The address space that the model's arenas come from: one reservation cut into
// slots, so that a block's arena, pool and page are shifts away and everything
// that is known of them lives in flat arrays.
//
//   slot 0                    slot 1                    slot 2
//   | offset | arena | unused | offset | arena | unused | ...
//
// A slot is two arenas wide and the lowest unused one is taken. The offset is
// the arena's base modulo the pool size, an input of a faithful replay
// (measuring.md, section 6): arena number k gets offsets[k % offsets.size()].
//
// Arenas are mapped when acquired and unmapped when released, as CPython's.
// What was committed is told by CommittedPages (committed.h), which follows the
// slots.
//
// THREADS. One. ERRORS. nullptr from acquire where the reservation is full or
// the kernel refuses; the heap goes on without.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <vector>

#include "allocators/arena_source.h"

namespace arenalab {

// Told of arenas coming and going, inside the heap's call.
class ArenaListener {
 public:
  virtual ~ArenaListener() = default;
  virtual void OnAcquire(std::size_t slot, std::uint64_t ordinal) = 0;
  virtual void OnRelease(std::size_t slot, std::uint64_t ordinal) = 0;
  // The pages of [begin, end), inside an arena, were given back.
  virtual void OnDiscard(std::uint64_t begin, std::uint64_t end) = 0;
};

class ArenaRegion {
 public:
  static constexpr std::size_t kNoArena = SIZE_MAX;

  struct Arena {
    std::uint64_t base = 0;     // 0: the slot is unused
    std::uint64_t ordinal = 0;  // arenas acquired before it
  };

  // `offsets` may be empty (all 0); each is below pool_bytes.
  ArenaRegion(std::size_t arena_bytes, std::vector<std::size_t> offsets,
              ArenaListener* listener);
  ~ArenaRegion();
  ArenaRegion(const ArenaRegion&) = delete;
  ArenaRegion& operator=(const ArenaRegion&) = delete;

  // The heap's source; points back here.
  ArenaSource source();

  bool Contains(std::uint64_t address) const {
    return address - begin_ < bytes_;
  }
  // REQUIRES: Contains(address).
  std::size_t SlotOf(std::uint64_t address) const {
    return (address - begin_) >> slot_shift_;
  }
  std::uint64_t begin() const { return begin_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t slot_bytes() const { return std::size_t{1} << slot_shift_; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  // Indexed by slot; only those that were ever used.
  const std::vector<Arena>& slots() const { return slots_; }

  std::uint64_t created() const { return created_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t live() const { return created_ - released_; }
  std::uint64_t high_water() const { return high_water_; }

 private:
  void* Acquire(std::size_t bytes);
  void Release(void* base, std::size_t bytes);
  void Discard(void* address, std::size_t bytes);

  std::size_t arena_bytes_;
  int slot_shift_;
  std::vector<std::size_t> offsets_;
  ArenaListener* listener_;
  std::uint64_t begin_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Arena> slots_;
  std::priority_queue<std::size_t, std::vector<std::size_t>,
                      std::greater<std::size_t>>
      unused_;
  std::uint64_t created_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t high_water_ = 0;
};

}  // namespace arenalab
