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
// AddressModel is what both have. To tell which birth a death means the reader
// keeps the last births by ordinal (BirthWindow), the writer by address
// (BirthIndex).
//
// One thread. Memory: 8 KiB a class in use; of the reader 9 bytes a birth in
// the window, of the writer 32.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/layout.h"

namespace arenalab {

// A request's size class: pymalloc's in steps of 2^class_shift bytes, or the C
// library's: pymalloc's 0 to 64, the C library's small ones, four for each
// power of two.
namespace size_class {

inline constexpr unsigned kLibc = 65;
inline constexpr unsigned kLarge = kLibc + 66;
inline constexpr unsigned kCount = 256;
static_assert((1024 + 23) >> 4 < 66);

inline unsigned Of(Layer layer, std::uint64_t size, unsigned shift) {
  constexpr std::uint64_t kPymallocLimit = 512;
  if ((layer == Layer::kMem || layer == Layer::kObject) &&
      size <= kPymallocLimit) {
    return static_cast<unsigned>((size + (1u << shift) - 1) >> shift);
  }
  constexpr std::uint64_t kSmall = 1024;  // of glibc: a chunk has 8 bytes more
  if (size <= kSmall) return kLibc + static_cast<unsigned>((size + 23) >> 4);
  const auto log2 = static_cast<unsigned>(std::bit_width(size) - 1);
  const auto quarter = static_cast<unsigned>(size >> (log2 - 2) & 3);
  return std::min(kLarge + (log2 - 10) * 4 + quarter, kCount - 1);
}

// From one block to the one behind it, in bytes; 0 where blocks do not line up.
inline unsigned Step(unsigned of_class, unsigned shift) {
  if (of_class < kLibc) return of_class << shift;
  return of_class < kLarge ? (of_class - kLibc) * 16 : 0;
}

}  // namespace size_class

// Small, so that a hot loop works on a copy, which stays in registers, and puts
// it back: AddressModel owns the memory.
class AddressState {
 public:
  // Ordinals are taken modulo 2^32: distances in the window are what counts.
  using Ordinal = std::uint32_t;
  static constexpr std::size_t kReusable = 1024;  // remembered, in each class

  unsigned window_log2() const { return window_log2_; }
  std::uint64_t window() const { return std::uint64_t{1} << window_log2_; }
  // Births so far; the ordinal of the next, not taken modulo anything.
  std::uint64_t born() const { return born_; }

  // A birth. The writer asks CodeOf, the reader AddressOf; both then tell it.
  layout::Birth CodeOf(std::uint64_t address, unsigned of_class) const {
    const Class& its = classes_[of_class];
    if (its.reusable != 0 && Top(its, of_class) == address) {
      return layout::kReused;
    }
    return its.next == address ? layout::kNext : layout::kExplicit;
  }
  // False where the code means nothing here.
  bool AddressOf(layout::Birth code, unsigned of_class,
                 std::uint64_t* address) const {
    const Class& its = classes_[of_class];
    if (code == layout::kReused && its.reusable != 0) {
      *address = Top(its, of_class);
      return true;
    }
    *address = its.next;
    return code == layout::kNext;
  }
  void Born(std::uint64_t address, unsigned of_class, layout::Birth code,
            unsigned step) {
    Class& its = classes_[of_class];
    // One that was explicit shows that the guess was stale.
    if (code != layout::kNext && its.reusable != 0) --its.reusable;
    its.next = address + step;
    page_class_[Page(address)] = static_cast<std::uint8_t>(of_class);
    ++born_;
  }

  // A death: the number of the deaths column for the birth of this ordinal.
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
    return static_cast<Ordinal>(born_) - *ordinal - 1 <
           std::min<std::uint64_t>(born_, window());
  }
  void DiedByOrdinal(Ordinal ordinal, std::uint64_t address,
                     unsigned of_class) {
    last_dead_ = ordinal;
    Give(address, of_class);
  }
  void DiedByAddress(std::uint64_t address) {
    Give(address, page_class_[Page(address)]);
  }

 protected:
  static constexpr std::size_t kPages = 1u << 16;

  struct Class {
    std::uint64_t next;
    std::uint64_t reusable;  // numbers the ring's slots
  };

  static std::size_t Page(std::uint64_t address) {
    return address >> 12 & (kPages - 1);
  }
  std::uint64_t Top(const Class& its, unsigned of_class) const {
    return reusable_[of_class * kReusable + (its.reusable - 1) % kReusable];
  }
  void Give(std::uint64_t address, unsigned of_class) {
    std::uint64_t& given = classes_[of_class].reusable;
    reusable_[of_class * kReusable + given++ % kReusable] = address;
  }

  unsigned window_log2_;
  Ordinal last_dead_ = 0;
  std::uint64_t born_ = 0;
  Class* classes_;
  std::uint64_t* reusable_;   // the last ones given up: a ring for each class
  std::uint8_t* page_class_;  // of the page's last birth
};

class AddressModel : public AddressState {
 public:
  explicit AddressModel(unsigned window_log2)
      : memory_(static_cast<Memory*>(std::calloc(1, sizeof(Memory)))) {
    if (!memory_) throw std::bad_alloc();
    window_log2_ = window_log2;
    classes_ = memory_->classes;
    reusable_ = memory_->reusable;
    page_class_ = memory_->page_class;
  }
  void Set(const AddressState& state) {
    static_cast<AddressState&>(*this) = state;
  }

 private:
  // Zeroes; pages that are not used are not touched.
  struct Memory {
    Class classes[size_class::kCount];
    std::uint8_t page_class[kPages];
    std::uint64_t reusable[size_class::kCount * kReusable];
  };
  struct Freed {
    void operator()(Memory* memory) const { std::free(memory); }
  };
  const std::unique_ptr<Memory, Freed> memory_;
};

// The reader's.
class BirthWindow {
 public:
  explicit BirthWindow(unsigned window_log2)
      : mask_((std::size_t{1} << window_log2) - 1) {}

  void Born(std::uint64_t ordinal, std::uint64_t address, unsigned of_class) {
    if (addresses_.size() <= mask_) {
      addresses_.push_back(address);
      classes_.push_back(static_cast<std::uint8_t>(of_class));
    } else {
      addresses_[ordinal & mask_] = address;
      classes_[ordinal & mask_] = static_cast<std::uint8_t>(of_class);
    }
  }
  // Of one that AddressModel::OrdinalOf gave.
  std::uint64_t AddressOf(std::uint64_t ordinal) const {
    return addresses_[ordinal & mask_];
  }
  unsigned ClassOf(std::uint64_t ordinal) const {
    return classes_[ordinal & mask_];
  }

 private:
  const std::size_t mask_;
  std::vector<std::uint64_t> addresses_;  // by ordinal, modulo the window
  std::vector<std::uint8_t> classes_;
};

// The writer's: the last birth at an address, found by a hash of it. A newer
// one takes an older one's place; then the older one's death is explicit.
class BirthIndex {
 public:
  struct Found {
    AddressState::Ordinal ordinal;
    unsigned of_class;
  };
  // What a hot loop works on: a copy stays in registers.
  class View {
   public:
    // False where the last `window` births before `born` have none that is
    // known at the address.
    bool Find(std::uint64_t address, std::uint64_t born, Found* found) const {
      const Entry& entry = entries_[PlaceOf(address)];
      const std::uint64_t number = entry.number_and_class >> 8;
      *found = {static_cast<AddressState::Ordinal>(number - window_ - 1),
                static_cast<unsigned>(entry.number_and_class & 0xff)};
      return entry.address == address && born + window_ - number < window_;
    }
    void Born(std::uint64_t ordinal, std::uint64_t address,
              unsigned of_class) const {
      entries_[PlaceOf(address)] = {address,
                                    (ordinal + window_ + 1) << 8 | of_class};
    }

   private:
    friend class BirthIndex;
    // The number is the ordinal plus the window plus one: that of an entry
    // never written, 0, is in no window.
    struct Entry {
      std::uint64_t address;
      std::uint64_t number_and_class;
    };
    std::size_t PlaceOf(std::uint64_t address) const {
      return address * 0x9e3779b97f4a7c15u >> shift_;
    }

    std::uint64_t window_;
    unsigned shift_;
    Entry* entries_;
  };

  explicit BirthIndex(unsigned window_log2)
      : entries_(static_cast<View::Entry*>(
            std::calloc(std::size_t{2} << window_log2, sizeof(View::Entry)))) {
    if (!entries_) throw std::bad_alloc();
    view_.window_ = std::uint64_t{1} << window_log2;
    view_.shift_ = 64 - (window_log2 + 1);
    view_.entries_ = entries_.get();
  }
  const View& view() const { return view_; }

 private:
  struct Freed {
    void operator()(View::Entry* entries) const { std::free(entries); }
  };
  View view_;
  // Pages that are not used are not touched.
  const std::unique_ptr<View::Entry[], Freed> entries_;
};

}  // namespace arenalab
