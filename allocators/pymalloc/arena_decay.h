// Wholly free arenas that are kept for a while, oldest first, each with the
// moment from which on it has been free. For PolicyValues::decay_bytes.
//
// The clock is the heap's own: bytes asked for from pools so far. Nothing of
// this is written into arenas or their records.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenalab {

class DecayingArenas {
 public:
  static constexpr std::size_t kMost = 64;

  // REQUIRES: fewer than kMost are kept.
  void Add(std::uint32_t arena_index, std::uint64_t now) {
    kept_[count_++] = {arena_index, now};
  }
  // It is in use again, or was released. Nothing if it is not among them.
  void Drop(std::uint32_t arena_index) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < count_; ++i)
      if (kept_[i].arena_index != arena_index) kept_[out++] = kept_[i];
    count_ = out;
  }
  // The oldest, if it has been free for `bytes` or more.
  bool Expired(std::uint64_t now, std::uint64_t bytes,
               std::uint32_t* arena_index) const {
    if (count_ == 0 || now - kept_[0].free_since < bytes) return false;
    *arena_index = kept_[0].arena_index;
    return true;
  }
  std::size_t count() const { return count_; }

 private:
  struct Kept {
    std::uint32_t arena_index;
    std::uint64_t free_since;
  };
  Kept kept_[kMost];
  std::size_t count_ = 0;
};

}  // namespace arenalab
