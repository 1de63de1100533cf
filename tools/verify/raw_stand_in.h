// What stands in for the raw domain beneath the clone. What the clone does not
// serve is not the verifier's business, so every such request gets the same
// block, at no cost. (The clone's own tables come from its metadata source.)
//
// The block can be read below (an address test looks at its pool's header: all
// bits set there, no arena's index) and written up to kMostCopiedBytes (a
// realloc that leaves pymalloc copies its small block there).
//
// OWNERSHIP. Source() points at this object. THREADS. One.
#pragma once

#include <cstddef>
#include <memory>

#include "allocators/arena_source.h"

namespace arenalab {

class RawStandIn {
 public:
  RawStandIn();
  RawStandIn(const RawStandIn&) = delete;
  RawStandIn& operator=(const RawStandIn&) = delete;

  RawSource Source();
  // Whether the next requests get nullptr, as the interpreter did.
  void set_fails(bool fails) { fails_ = fails; }

  // Any request's result.
  void* Block() { return fails_ ? nullptr : memory_.get() + kReadableBelow; }

 private:
  // Two of the largest pools below, so that its header is always readable.
  static constexpr std::size_t kReadableBelow = std::size_t{32} << 10;
  static constexpr std::size_t kMostCopiedBytes = std::size_t{4} << 10;

  std::unique_ptr<std::byte[]> memory_;
  bool fails_ = false;
};

}  // namespace arenalab
