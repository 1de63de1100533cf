// Reserving once, mapping and unmapping inside the reservation.
#include "tools/replay/arena_region.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace arenalab {
namespace {

// Address space only, halved until the kernel grants it.
constexpr std::size_t kMostBytes = std::size_t{1} << 38;
constexpr std::size_t kLeastSlots = 16;

}  // namespace

ArenaRegion::ArenaRegion(std::size_t arena_bytes,
                         std::vector<std::size_t> offsets,
                         ArenaListener* listener)
    : arena_bytes_(arena_bytes),
      slot_shift_(std::countr_zero(std::bit_ceil(arena_bytes)) + 1),
      offsets_(std::move(offsets)),
      listener_(listener) {
  if (offsets_.empty()) offsets_.push_back(0);
  for (std::size_t bytes = kMostBytes; bytes >= kLeastSlots * slot_bytes();
       bytes /= 2) {
    // As much again, so that the reservation is aligned to its own size: page
    // and pool boundaries fall where the offsets say, and the nodes of the
    // clone's address tree, whose bytes count, do not depend on where the
    // kernel puts us.
    void* mapping = mmap(nullptr, 2 * bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) continue;
    const auto address = reinterpret_cast<std::uint64_t>(mapping);
    begin_ = (address + bytes - 1) & ~(bytes - 1);
    const std::uint64_t end = address + 2 * bytes;
    if (begin_ > address) munmap(mapping, begin_ - address);
    if (end > begin_ + bytes) {
      munmap(reinterpret_cast<void*>(begin_ + bytes), end - begin_ - bytes);
    }
    bytes_ = bytes;
    return;
  }
  throw std::system_error(errno, std::generic_category(),
                          "reserving address space for the model's arenas");
}

ArenaRegion::~ArenaRegion() { munmap(reinterpret_cast<void*>(begin_), bytes_); }

ArenaSource ArenaRegion::source() {
  return {this,
          [](void* context, std::size_t bytes) {
            return static_cast<ArenaRegion*>(context)->Acquire(bytes);
          },
          [](void* context, void* base, std::size_t bytes) {
            static_cast<ArenaRegion*>(context)->Release(base, bytes);
          },
          [](void* context, void* address, std::size_t bytes) {
            static_cast<ArenaRegion*>(context)->Discard(address, bytes);
          }};
}

void* ArenaRegion::Acquire(std::size_t bytes) {
  if (bytes != arena_bytes_) return nullptr;
  std::size_t slot = slots_.size();
  if (!unused_.empty()) {
    slot = unused_.top();
  } else if ((slot + 1) * slot_bytes() > bytes_) {
    return nullptr;
  }
  const std::uint64_t slot_begin = begin_ + slot * slot_bytes();
  // The whole slot: the offset need not be a multiple of the page.
  if (mmap(reinterpret_cast<void*>(slot_begin), slot_bytes(),
           PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
           0) == MAP_FAILED) {
    return nullptr;
  }
  if (slot == slots_.size()) {
    slots_.emplace_back();
  } else {
    unused_.pop();
  }
  const std::uint64_t base = slot_begin + offsets_[created_ % offsets_.size()];
  slots_[slot] = {base, created_++};
  high_water_ = std::max(high_water_, live());
  listener_->OnAcquire(slot, slots_[slot].ordinal);
  return reinterpret_cast<void*>(base);
}

void ArenaRegion::Release(void* base, std::size_t) {
  const std::size_t slot = SlotOf(reinterpret_cast<std::uint64_t>(base));
  listener_->OnRelease(slot, slots_[slot].ordinal);
  mmap(reinterpret_cast<void*>(begin_ + slot * slot_bytes()), slot_bytes(),
       PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
       0);
  slots_[slot].base = 0;
  unused_.push(slot);
  ++released_;
}

void ArenaRegion::Discard(void* address, std::size_t bytes) {
  madvise(address, bytes, MADV_DONTNEED);
  const auto begin = reinterpret_cast<std::uint64_t>(address);
  listener_->OnDiscard(begin, begin + bytes);
}

}  // namespace arenalab
