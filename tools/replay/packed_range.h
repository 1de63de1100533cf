// A range of addresses that gives the lowest free place to each block, never
// moves one, and ends at its last. The heap of oracle.h has one for each group
// of objects.
//
//   | block | gap | block | block | gap | block |  end: no block lies behind it
//
// Addresses and sizes are in granules (whatever its user says that is).
//
// GAPS are kept by size, one heap of addresses a size up to kExactGranules,
// one a power of two above. A request takes the lowest gap of all that are
// large enough, with one exception: among gaps of its own power of two it
// tries the lowest only. A request costs O(log gaps), and so does giving back.
// A heap's entry may be out of date; gap_at_ says what is so.
//
// Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace arenalab {

class PackedRange {
 public:
  PackedRange() { lowest_.fill(kNone); }

  // REQUIRES: granules > 0. Where the block begins.
  std::uint32_t Take(std::uint32_t granules);
  // What Take(granules) gave.
  void GiveBack(std::uint32_t at, std::uint32_t granules);
  // One behind the last block; 0: there is none.
  std::uint32_t end() const { return end_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kExactGranules = 64;
  static constexpr std::uint32_t kClasses = kExactGranules + 26;

  static std::uint32_t ClassOf(std::uint32_t granules);
  // The lowest gap for a request and its class; kNone: none is large enough.
  std::uint32_t LowestGap(std::uint32_t granules, std::uint32_t* size_class);
  void AddGap(std::uint32_t at, std::uint32_t granules);
  void RemoveGap(std::uint32_t at);
  void DropLowest(std::uint32_t size_class);

  std::array<std::vector<std::uint32_t>, kClasses> gaps_;  // min-heaps
  std::array<std::uint32_t, kClasses> lowest_;             // their tops
  // By granule: how long the gap is that begins or ends there, else 0.
  std::vector<std::uint32_t> gap_at_;
  std::vector<std::uint32_t> gap_until_;
  std::uint32_t end_ = 0;
};

}  // namespace arenalab
