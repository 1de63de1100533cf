// What is known of every live block of a heap, and whose the blocks are in
// which no object lives: an object of the heap that points to one owns it (the
// table of a dict, the buffer of a list, the values of an instance).
//
//   by arena   Add() each live block with what lives in it, then FollowArena()
//              once: the words of its objects lead to their memory
//   again      Follow() each block of the arenas that MustReadAgain() names
//   then       Visit() all, by address
//
// So the heap is read once. A word that leads into an arena which is read later
// is kept until then; of these there may be kMostKept at a time, beyond which
// the arena is to be read again. Without FollowArena(), Follow() all.
//
// A word of an object leads to a block if it points into its first 48 bytes
// (the values of an instance have a short head in front). Who comes first owns.
//
// Memory: four bytes a block, live or not; eight a word that is kept.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/object_types.h"

namespace arenalab {

class BlockMap {
 public:
  static constexpr std::size_t kMostKept = std::size_t{1} << 22;

  // `arenas`: all that will be added, in that order.
  BlockMap(const GeometryValues& geometry,
           const std::vector<FoundArena>& arenas,
           std::size_t most_kept = kMostKept);

  // REQUIRES: ascending arenas; ascending addresses within one.
  void Add(const LiveBlock& block, const HeldObject& held);
  // REQUIRES: after each arena, one without a live block too, while the bytes
  // of its blocks are still there.
  void FollowArena();
  void Follow(const LiveBlock& block);
  // By arena.
  const std::vector<bool>& MustReadAgain() const { return read_again_; }

  // visit(const LiveBlock&, const HeldObject&) in the order of Add(). The
  // block's bytes are nullptr: they are not kept.
  template <class Visitor>
  void Visit(Visitor&& visit) const {
    for (const Pool& pool : pools_) {
      const std::size_t block_bytes =
          (pool.size_class + 1) * geometry_.alignment;
      for (std::uint32_t i = 0; i < pool.blocks; ++i) {
        const std::uint32_t entry = entries_[pool.first + i];
        if (entry == 0) continue;
        const std::uint64_t address =
            pool.base + geometry_.header_bytes + i * block_bytes;
        visit(LiveBlock{address, nullptr, block_bytes, pool.size_class,
                        pool.arena},
              Decode(entry));
      }
    }
  }

 private:
  struct Pool {
    std::uint64_t base;
    std::uint32_t first;  // of its blocks, in entries_
    std::uint32_t blocks;
    std::uint32_t size_class;
    std::uint32_t arena;
  };
  // An entry: live | part of an object | owner:2 | offset / 8:3 | type:24
  static constexpr std::uint32_t kLive = 1u << 31, kPart = 1u << 30;
  static constexpr unsigned kOwnerShift = 28, kOffsetShift = 24;
  static constexpr std::uint32_t kTypeMask = (1u << kOffsetShift) - 1;

  // A word that leads into an arena that was not read yet.
  struct Kept {
    std::uint32_t offset;  // in the arena
    std::uint32_t entry;   // of the block that it leads to
  };

  HeldObject Decode(std::uint32_t entry) const;
  // Place of the pool at `base` in pools_ plus one; 0: none; or kLater and the
  // number of an arena to come.
  std::uint32_t PlaceOf(std::uint64_t base) const;
  void FollowWords(std::uint32_t entry, const unsigned char* bytes,
                   std::size_t block_bytes);
  // `word` leads into the pool.
  void Reach(const Pool& pool, std::uint64_t word, std::uint32_t entry);

  static constexpr std::uint32_t kLater = 1u << 31;

  const GeometryValues geometry_;
  const std::size_t most_kept_;
  std::vector<std::uint64_t> arenas_;  // bases
  std::vector<Pool> pools_;
  std::vector<std::uint32_t> entries_;
  std::vector<const ObjectType*> types_;  // by number; 0: none
  // By the number of a pool from `low_` on; where arenas lie too far apart for
  // that, by base.
  std::vector<std::uint32_t> index_;
  std::unordered_map<std::uint64_t, std::uint32_t> far_index_;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  // What is being read.
  std::uint32_t arena_ = 0;
  std::size_t first_pool_ = 0;
  std::uintptr_t bytes_ = 0;  // of the block at address 0 of the target
  std::vector<std::vector<Kept>> kept_;  // by arena to come
  std::size_t kept_count_ = 0;
  std::vector<bool> read_again_;
};

}  // namespace arenalab
