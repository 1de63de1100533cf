// Where a real interpreter gets its arenas from while it is replayed on, behind
// PyObject_SetArenaAllocator: one reservation of address space in which arena
// number k has slot number k.
//
//   slot 0                    slot 1                    slot 2
//   | offset | arena | unused | offset | arena | unused | ...
//
// So a block's arena and offset are a shift and a difference away, and the
// offset (the base modulo the pool size) is chosen: it decides how many pools
// an arena has. A slot is never used twice; it is given back when its arena is.
//
// What an interpreter needs to start (before Begin()) is mapped anywhere, and
// remembered, because the search for its allocator's state needs to know it.
//
// Linked into the native worker only. One thread. Allocates nothing but
// mappings. ERRORS: nullptr from Acquire, which CPython copes with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/native/python_api.h"

namespace arenalab {

// Since 3.11 the interpreter's frame stack asks the same source for chunks of
// 16 KiB; no release's arena is smaller than this.
inline constexpr std::size_t kLeastArenaBytes = std::size_t{256} << 10;

// Told of arenas, by number, after Begin().
struct ArenaEvents {
  void (*acquired)(std::uint64_t arena) = nullptr;
  void (*released)(std::uint64_t arena) = nullptr;
};

class NativeArenas {
 public:
  struct Mapping {
    std::uint64_t base;
    std::size_t bytes;
  };
  struct Position {
    std::uint64_t arena;
    std::uint64_t offset;
  };
  static constexpr std::size_t kMostStartMappings = 4096;

  // For PyObject_SetArenaAllocator; points back here.
  PythonArenaAllocator source();

  // From here on arenas are counted and placed. `offset_pages` has one digit
  // an arena, its base's offset in pages of 4 KiB, and starts again at its
  // end; "" is "0". Must live on. False if it is not of digits.
  bool Begin(const char* offset_pages);

  // False: in no arena since Begin().
  bool Find(const void* block, Position* position) const {
    const std::uint64_t distance =
        reinterpret_cast<std::uint64_t>(block) - begin_;
    if (distance >= bytes_) return false;
    position->arena = distance >> slot_shift_;
    position->offset =
        distance - (position->arena << slot_shift_) - OffsetOf(position->arena);
    return true;
  }

  std::size_t arena_bytes() const { return arena_bytes_; }
  std::uint64_t created() const { return created_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t live() const { return created_ - released_; }

  // What the start took: live arenas and how many there ever were.
  const Mapping* start_arenas() const { return start_; }
  std::size_t start_live() const { return start_live_; }
  std::size_t start_created() const { return start_created_; }

  ArenaEvents events;

 private:
  void* Acquire(std::size_t bytes);
  void Release(void* base, std::size_t bytes);
  bool Reserve(std::size_t arena_bytes);
  std::uint64_t OffsetOf(std::uint64_t arena) const {
    return static_cast<std::uint64_t>(offsets_[arena % offset_count_] - '0') *
           4096;
  }

  bool begun_ = false;
  const char* offsets_ = "0";
  std::size_t offset_count_ = 1;
  std::uint64_t begin_ = 0;
  std::uint64_t bytes_ = 0;
  int slot_shift_ = 0;
  std::size_t arena_bytes_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t released_ = 0;
  Mapping start_[kMostStartMappings];
  std::size_t start_live_ = 0;
  std::size_t start_created_ = 0;
};

// The process' own.
extern NativeArenas native_arenas;

}  // namespace arenalab
