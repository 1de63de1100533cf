// Arenas at addresses that a test can name: arena k of a run lies in the k-th
// of a row of 4 MiB slots, at the slot's begin (placement 0) or 4096 * ((5k +
// 1) mod 4) behind it (placement 1). No slot is used twice.
//
// It can be told to fail at its n-th call, and to fill an arena with a pattern
// before it is handed out.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "allocators/arena_source.h"

namespace arenalab {

struct Position {
  std::uint64_t arena;   // ordinal of its acquisition, from 0
  std::uint64_t offset;  // from the base that the source returned
  friend bool operator==(const Position&, const Position&) = default;
};

class SlotArenaSource {
 public:
  static constexpr std::size_t kSlotBytes = std::size_t{4} << 20;

  explicit SlotArenaSource(int placement = 0) : placement_(placement) {
    void* p = mmap(nullptr, kReservedBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) std::abort();
    mapping_ = static_cast<char*>(p);
    first_ = mapping_ +
             (kSlotBytes - reinterpret_cast<std::uint64_t>(p) % kSlotBytes);
  }
  virtual ~SlotArenaSource() { munmap(mapping_, kReservedBytes); }
  SlotArenaSource(const SlotArenaSource&) = delete;
  SlotArenaSource& operator=(const SlotArenaSource&) = delete;

  ArenaSource source() {
    return {this,
            [](void* self, std::size_t bytes) {
              return static_cast<SlotArenaSource*>(self)->Acquire(bytes);
            },
            [](void* self, void* base, std::size_t bytes) {
              static_cast<SlotArenaSource*>(self)->Release(base, bytes);
            }};
  }

  // nullopt: the block lies in no arena that was handed out.
  std::optional<Position> PositionOf(const void* block) const {
    const auto distance =
        static_cast<std::uint64_t>(static_cast<const char*>(block) - first_);
    if (distance >= created_ * kSlotBytes) return std::nullopt;
    const std::uint64_t k = distance / kSlotBytes;
    return Position{k, distance % kSlotBytes - Offset(k)};
  }
  char* ArenaBase(std::uint64_t k) const {
    return first_ + k * kSlotBytes + Offset(k);
  }

  // Call number `n`, from 0 and counting those that failed, returns nullptr,
  // and so do all later ones if `from_then_on`.
  void FailAt(std::uint64_t n, bool from_then_on) {
    fail_at_ = n;
    fail_from_then_on_ = from_then_on;
  }
  void FillWith(unsigned char pattern) { pattern_ = pattern; }

  std::uint64_t calls() const { return calls_; }
  std::uint64_t created() const { return created_; }
  std::uint64_t released() const { return released_; }
  std::uint64_t live() const { return created_ - released_; }

 private:
  // One slot goes into alignment, one is never handed out: arenas may begin
  // anywhere in theirs.
  static constexpr std::uint64_t kSlots = 1098;
  static constexpr std::size_t kReservedBytes = kSlotBytes * (kSlots + 2);
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  virtual void OnAcquire(std::uint64_t) {}
  virtual void OnRelease(std::uint64_t) {}

  std::uint64_t Offset(std::uint64_t k) const {
    return placement_ == 0 ? 0 : 4096 * ((5 * k + 1) % 4);
  }
  void* Acquire(std::size_t bytes) {
    const std::uint64_t call = calls_++;
    if (call == fail_at_ || (call > fail_at_ && fail_from_then_on_))
      return nullptr;
    if (created_ == kSlots) return nullptr;
    OnAcquire(created_);
    char* base = ArenaBase(created_++);
    if (pattern_) std::memset(base, *pattern_, bytes);
    return base;
  }
  void Release(void* base, std::size_t bytes) {
    ++released_;
    OnRelease(static_cast<std::uint64_t>(static_cast<char*>(base) - first_) /
              kSlotBytes);
    madvise(base, bytes, MADV_DONTNEED);
  }

  int placement_;
  char* mapping_;
  char* first_;
  std::uint64_t fail_at_ = kNever;
  bool fail_from_then_on_ = false;
  std::optional<unsigned char> pattern_;
  std::uint64_t calls_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace arenalab
