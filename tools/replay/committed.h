// C of the model: which OS pages of the arenas were written, by the allocator
// or by a program that fills what it asked for, since their arena was mapped.
//
// For a block [p, p + requested) that is handed out these are
//   the page of its pool's header (live count and free list change),
//   the pages of the block up to its requested size,
//   the page of the first word of the last block carved in its pool: pymalloc
//   links one block ahead of need (pool.h, P4).
// A free writes the header and the block's first word: pages that count
// already. Neighbours in a used list are written too (their headers), and they
// count already.
//
// A test compares this with the kernel's count for a replay that fills.
#pragma once

#include <unistd.h>

#include <bit>
#include <cstddef>
#include <cstdint>

#include "tools/replay/arena_region.h"
#include "tools/replay/flat_array.h"

namespace arenalab {

class CommittedPages {
 public:
  // page_bytes: a power of two, at most a slot.
  CommittedPages(const ArenaRegion& region, std::size_t page_bytes)
      : begin_(region.begin()),
        page_shift_(std::countr_zero(page_bytes)),
        words_per_slot_((region.slot_bytes() / page_bytes + 63) / 64),
        slot_shift_(std::countr_zero(region.slot_bytes())),
        written_(region.bytes() / region.slot_bytes() * words_per_slot_) {}

  // The pages of [address, address + bytes); bytes >= 1, inside one slot.
  void Write(std::uint64_t address, std::size_t bytes) {
    const std::uint64_t from = address - begin_;
    const std::size_t slot = from >> slot_shift_;
    const std::uint64_t slot_begin = std::uint64_t{slot} << slot_shift_;
    const std::size_t first = (from - slot_begin) >> page_shift_;
    const std::size_t last = (from - slot_begin + bytes - 1) >> page_shift_;
    for (std::size_t page = first; page <= last; ++page) {
      std::uint64_t& word = written_[slot * words_per_slot_ + page / 64];
      const std::uint64_t bit = std::uint64_t{1} << (page % 64);
      pages_ += (word & bit) == 0;
      word |= bit;
    }
  }

  // The arena in this slot was given back.
  void Release(std::size_t slot) {
    for (std::size_t i = 0; i < words_per_slot_; ++i) {
      std::uint64_t& word = written_[slot * words_per_slot_ + i];
      pages_ -= static_cast<std::uint64_t>(std::popcount(word));
      word = 0;
    }
  }

  // These pages of an arena were given back: in one slot, both page-aligned.
  void GiveBack(std::uint64_t from, std::uint64_t to) {
    const std::size_t slot = (from - begin_) >> slot_shift_;
    const std::uint64_t slot_begin =
        begin_ + (std::uint64_t{slot} << slot_shift_);
    for (std::size_t page = (from - slot_begin) >> page_shift_;
         page < (to - slot_begin) >> page_shift_; ++page) {
      std::uint64_t& word = written_[slot * words_per_slot_ + page / 64];
      const std::uint64_t bit = std::uint64_t{1} << (page % 64);
      pages_ -= (word & bit) != 0;
      word &= ~bit;
    }
  }

  bool Written(std::uint64_t address) const {
    const std::uint64_t from = address - begin_;
    const std::size_t slot = from >> slot_shift_;
    const std::size_t page =
        (from - (std::uint64_t{slot} << slot_shift_)) >> page_shift_;
    return (written_[slot * words_per_slot_ + page / 64] >> (page % 64) & 1) !=
           0;
  }

  std::uint64_t bytes() const { return pages_ << page_shift_; }

 private:
  std::uint64_t begin_;
  int page_shift_;
  std::size_t words_per_slot_;
  int slot_shift_;
  FlatArray<std::uint64_t> written_;
  std::uint64_t pages_ = 0;
};

}  // namespace arenalab
