// What is known of every live block of a heap, and whose the blocks are in
// which no object lives: an object of the heap that points to one owns it (the
// table of a dict, the buffer of a list, the values of an instance).
//
//   pass 1   Add() each live block with what lives in it
//   pass 2   Follow() each again: the words of objects lead to their memory
//   then     Visit() all, by address
//
// A word of an object leads to a block if it points into its first 48 bytes
// (the values of an instance have a short head in front). Who comes first owns.
//
// Memory: four bytes a block, live or not.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/object_types.h"

namespace arenalab {

class BlockMap {
 public:
  explicit BlockMap(const GeometryValues& geometry) : geometry_(geometry) {
    types_.push_back(nullptr);
  }

  // REQUIRES: ascending arenas; ascending addresses within one.
  void Add(const LiveBlock& block, const HeldObject& held);
  void Follow(const LiveBlock& block);

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

  HeldObject Decode(std::uint32_t entry) const;
  std::uint32_t NumberOf(const ObjectType* type);
  // The pool at `base`, or nullptr.
  const Pool* PoolAt(std::uint64_t base) const;
  void MakeIndex();

  const GeometryValues geometry_;
  std::vector<Pool> pools_;
  std::vector<std::uint32_t> entries_;
  std::vector<const ObjectType*> types_;  // by number; 0: none
  std::unordered_map<const ObjectType*, std::uint32_t> numbers_;
  // Made before the first Follow(): place of a pool in pools_ plus one, by its
  // number from `low_` on.
  std::vector<std::uint32_t> index_;
  std::unordered_map<std::uint64_t, std::uint32_t> far_index_;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace arenalab
