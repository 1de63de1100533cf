// What reader and writer both know of the addresses so far, so that a trace
// need not spell most of them out (../TRACE_FORMAT.md, ADDRESSES). Both call
// the same members in the same order; neither trusts that a guess is right.
//
//   a birth   is the block of its class that was given up last (kReused), or
//             lies behind the last one handed out (kNext), or is explicit
//   a death   is a distance between ordinals: births are numbered, and the
//             last 2^window_log2 of them are remembered
//
// It knows nothing of any allocator: these guesses fit whatever reuses blocks
// last freed first within a size class, as pymalloc and the C library do.
//
// One thread. Memory: 9 bytes a birth in the window, 8 KiB a class in use.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/layout.h"

namespace arenalab {

class AddressModel {
 public:
  // Ordinals are taken modulo 2^32: distances in the window are what counts.
  using Ordinal = std::uint32_t;
  static constexpr std::size_t kReusable = 1024;  // remembered, in each class

  explicit AddressModel(unsigned window_log2)
      : window_log2_(window_log2),
        mask_((Ordinal{1} << window_log2) - 1),
        page_class_(kPages) {}

  unsigned window_log2() const { return window_log2_; }

  // The size class of a request: pymalloc's in steps of 2^class_shift bytes, or
  // the C library's.
  static unsigned ClassOf(Layer layer, std::uint64_t size, unsigned shift) {
    constexpr std::uint64_t kPymallocLimit = 512;
    if ((layer == Layer::kMem || layer == Layer::kObject) &&
        size <= kPymallocLimit) {
      return static_cast<unsigned>((size + (1u << shift) - 1) >> shift);
    }
    constexpr std::uint64_t kSmall =
        1024;  // of glibc: a chunk has 8 bytes more
    if (size <= kSmall) {
      return kLibcClasses + static_cast<unsigned>((size + 23) >> 4);
    }
    const auto log2 = static_cast<unsigned>(std::bit_width(size) - 1);
    const auto quarter = static_cast<unsigned>(size >> (log2 - 2) & 3);
    return std::min(kLargeClasses + (log2 - 10) * 4 + quarter, kClasses - 1);
  }

  // A birth. The writer asks CodeOf, the reader AddressOf; both then tell it.
  layout::Birth CodeOf(std::uint64_t address, unsigned of_class) const {
    const Class& its = classes_[of_class];
    if (its.reusable != 0 && Top(its) == address) return layout::kReused;
    return its.next == address ? layout::kNext : layout::kExplicit;
  }
  // False where the code means nothing here.
  bool AddressOf(layout::Birth code, unsigned of_class,
                 std::uint64_t* address) const {
    const Class& its = classes_[of_class];
    if (code == layout::kReused && its.reusable != 0) {
      *address = Top(its);
      return true;
    }
    *address = its.next;
    return code == layout::kNext;
  }
  void Born(std::uint64_t address, unsigned of_class, layout::Birth code,
            unsigned shift) {
    Class& its = classes_[of_class];
    // One that was explicit shows that the guess was stale.
    if (code != layout::kNext && its.reusable != 0) --its.reusable;
    its.next = address + Step(of_class, shift);
    page_class_[Page(address)] = static_cast<std::uint8_t>(of_class);
    if (births_.size() <= mask_) {
      births_.push_back(address);
      birth_class_.push_back(static_cast<std::uint8_t>(of_class));
    } else {
      births_[born_ & mask_] = address;
      birth_class_[born_ & mask_] = static_cast<std::uint8_t>(of_class);
    }
    ++born_;
  }

  // A death: the varint of the deaths column for the birth of this ordinal.
  std::uint64_t DeathOf(Ordinal ordinal) const {
    const auto distance = static_cast<std::int32_t>(ordinal - last_dead_);
    const auto folded = static_cast<std::uint32_t>(distance) << 1 ^
                        static_cast<std::uint32_t>(distance >> 31);
    return std::uint64_t{folded} + 1;
  }
  // The other way; false where no birth in the window is meant.
  bool OrdinalOf(std::uint64_t death, Ordinal* ordinal) const {
    if (death - 1 > 0xffffffffu) return false;
    const auto folded = static_cast<std::uint32_t>(death - 1);
    *ordinal = last_dead_ + (folded >> 1 ^ (0u - (folded & 1)));
    return Remembers(*ordinal);
  }
  bool Remembers(Ordinal ordinal) const {
    return born_ - ordinal - 1 < births_.size();
  }
  std::uint64_t AddressOf(Ordinal ordinal) const {
    return births_[ordinal & mask_];
  }
  Ordinal born() const { return born_; }
  void DiedByOrdinal(Ordinal ordinal) {
    last_dead_ = ordinal;
    Give(births_[ordinal & mask_], birth_class_[ordinal & mask_]);
  }
  void DiedByAddress(std::uint64_t address) {
    Give(address, page_class_[Page(address)]);
  }

 private:
  // pymalloc's 0 to 64, the C library's small ones, four for each power of two.
  static constexpr unsigned kLibcClasses = 65;
  static constexpr unsigned kLargeClasses = kLibcClasses + 66;
  static constexpr unsigned kClasses = 256;
  static constexpr std::size_t kPages = 1u << 16;
  static_assert((1024 + 23) >> 4 < 66);

  struct Class {
    std::uint64_t next = 0;
    std::uint64_t reusable = 0;  // numbers the ring's slots
    std::unique_ptr<std::array<std::uint64_t, kReusable>> ring;
  };

  static std::uint64_t Step(unsigned of_class, unsigned shift) {
    if (of_class < kLibcClasses) return std::uint64_t{of_class} << shift;
    if (of_class < kLargeClasses) return (of_class - kLibcClasses) * 16u;
    return 0;
  }
  static std::size_t Page(std::uint64_t address) {
    return address >> 12 & (kPages - 1);
  }
  static std::uint64_t Top(const Class& its) {
    return (*its.ring)[(its.reusable - 1) % kReusable];
  }
  void Give(std::uint64_t address, unsigned of_class) {
    Class& its = classes_[of_class];
    if (!its.ring) {
      its.ring = std::make_unique<std::array<std::uint64_t, kReusable>>();
    }
    (*its.ring)[its.reusable++ % kReusable] = address;
  }

  const unsigned window_log2_;
  const Ordinal mask_;
  Ordinal born_ = 0;
  Ordinal last_dead_ = 0;
  std::array<Class, kClasses> classes_;
  std::vector<std::uint64_t> births_;  // by ordinal, modulo the window
  std::vector<std::uint8_t> birth_class_;
  std::vector<std::uint8_t> page_class_;  // of the page's last birth
};

}  // namespace arenalab
