// The radix tree that answers "is this address in one of our arenas?" (3.10+).
//
//   address   | top | mid | bottom | offset in an arena-sized piece |
//                |     |      |
//               root  node   leaf entry (hi, lo)
//
// An arena need not be aligned to its size. With t = base mod arena_bytes:
//   t == 0   hi = arena_bytes in the entry of base: the whole piece is ours
//   t > 0    hi = arena_bytes - t in the entry of base: so many bytes at the
//            end of the piece are ours; and
//            lo = t in the entry of base + arena_bytes: so many at its start
// so an address with remainder x is ours iff
//   x < lo  or  arena_bytes - 1 - x < hi.
//
// CPython keeps t itself in hi, and -1 for the whole piece: the same answer by
// up to three branches. Where arenas lie unaligned, as mmap lays them, chance
// decides for each block which of them answers, and no predictor learns that
// (the experiment `speed`, recorded stream). Two counts of bytes are asked by
// two subtractions and one sign.
//
// Widths (64-bit): 15 + 15 + 14 + 20 bits since 3.11; 10 + 10 + 8 + 20 in 3.10,
// which ignores the top 16; 15 + 15 + 13 + 21 with 2 MiB arenas. All three are
// the same formula over address bits and arena bits. SOURCE: ARENA_BITS,
// INTERIOR_BITS and MAP_*_BITS of CPython's pycore_obmalloc.h.
//
// Nodes are allocated zeroed from the metadata source on first need and never
// freed before the map is destroyed. Until the first arena the root is a shared
// array of zeros that nobody writes, so that Contains() need not ask.
//
// INVARIANT, asserted by CheckHeap(): M1  an arena's first and last byte are
// contained, the byte before and the byte behind are only if another's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/arena_source.h"

namespace arenalab {

struct RadixShape {
  int offset_bits;
  int bottom_bits;
  int mid_bits;
  int top_bits;
  std::uint64_t address_mask;

  constexpr std::size_t root_bytes() const { return sizeof(void*) << top_bits; }
  constexpr std::size_t mid_bytes() const { return sizeof(void*) << mid_bits; }
  constexpr std::size_t bottom_bytes() const {
    return 2 * sizeof(std::int32_t) << bottom_bits;
  }
};

constexpr RadixShape MakeRadixShape(int address_bits, int arena_bits) {
  const int interior = (address_bits - arena_bits + 2) / 3;
  return {arena_bits, address_bits - arena_bits - 2 * interior, interior,
          interior,
          address_bits == 64 ? ~std::uint64_t{0}
                             : (std::uint64_t{1} << address_bits) - 1};
}
static_assert(MakeRadixShape(64, 20).root_bytes() == 262144);
static_assert(MakeRadixShape(64, 20).bottom_bytes() == 131072);
static_assert(MakeRadixShape(48, 20).root_bytes() == 8192);
static_assert(MakeRadixShape(48, 20).bottom_bytes() == 2048);
static_assert(MakeRadixShape(64, 21).bottom_bytes() == 65536);

// Every call is given the shape: it is a constant where the generation is one.
class ArenaMap {
 public:
  ArenaMap() = default;
  ArenaMap(const ArenaMap&) = delete;
  ArenaMap& operator=(const ArenaMap&) = delete;

  bool Contains(const RadixShape& shape, std::uint64_t address) const {
    const std::uint64_t piece =
        (address & shape.address_mask) >> shape.offset_bits;
    const Mid* mid = root_[piece >> (shape.bottom_bits + shape.mid_bits)];
    if (mid == nullptr) return false;
    const Entry* bottom =
        mid[(piece >> shape.bottom_bits) & Mask(shape.mid_bits)];
    if (bottom == nullptr) return false;
    const Entry entry = bottom[piece & Mask(shape.bottom_bits)];
    const auto mask = static_cast<std::int32_t>(Mask(shape.offset_bits));
    const auto tail = static_cast<std::int32_t>(address) & mask;
    // mask - tail == tail ^ mask. Either difference is negative: it is ours.
    return ((tail - entry.lo) | ((tail ^ mask) - entry.hi)) < 0;
  }

  // False if a node could not be allocated; then the arena is not marked, and
  // nodes that were made stay for later.
  bool Mark(const RadixShape& shape, std::uint64_t base,
            const RawSource& metadata);
  void Unmark(const RadixShape& shape, std::uint64_t base);
  void Destroy(const RadixShape& shape, const RawSource& metadata);

  bool has_root() const { return root_ != no_arenas_; }
  // Nodes ever created.
  std::uint32_t mid_nodes() const { return mid_nodes_; }
  std::uint32_t bottom_nodes() const { return bottom_nodes_; }

 private:
  struct Entry {
    std::int32_t
        hi;  // bytes at the end of the piece, of an arena from there on
    std::int32_t lo;  // bytes at its start, of the arena that began before it
  };
  static_assert(sizeof(Entry) == 8);
  using Mid = Entry*;  // a mid node is an array of these, the root of Mid*

  static constexpr std::uint64_t Mask(int bits) {
    return (std::uint64_t{1} << bits) - 1;
  }
  // The entry for the piece that holds `base`, with its nodes; or nullptr.
  Entry* Reach(const RadixShape& shape, std::uint64_t base,
               const RawSource& metadata);

  // The widest root that any shape has, all zero.
  static Mid* no_arenas_[];

  Mid** root_ = no_arenas_;
  std::uint32_t mid_nodes_ = 0;
  std::uint32_t bottom_nodes_ = 0;
};

}  // namespace arenalab
