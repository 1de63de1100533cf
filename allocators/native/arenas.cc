// Reserving once, mapping and giving back; contract in arenas.h.
#include "allocators/native/arenas.h"

#include <sys/mman.h>

#include <bit>
#include <cstring>

namespace arenalab {

NativeArenas native_arenas;

namespace {

// Address space only, halved until the kernel grants it.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 44;
constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 32;

void* Map(std::size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return base == MAP_FAILED ? nullptr : base;
}

}  // namespace

PythonArenaAllocator NativeArenas::source() {
  return {this,
          [](void* self, std::size_t bytes) {
            return static_cast<NativeArenas*>(self)->Acquire(bytes);
          },
          [](void* self, void* base, std::size_t bytes) {
            static_cast<NativeArenas*>(self)->Release(base, bytes);
          }};
}

bool NativeArenas::Begin(const char* offset_pages) {
  begun_ = true;
  if (offset_pages == nullptr || *offset_pages == '\0') return true;
  offset_count_ = std::strlen(offset_pages);
  offsets_ = offset_pages;
  return std::strspn(offset_pages, "0123456789") == offset_count_;
}

bool NativeArenas::Reserve(std::size_t arena_bytes) {
  slot_shift_ = std::countr_zero(std::bit_ceil(arena_bytes)) + 1;
  const std::uint64_t slot_bytes = std::uint64_t{1} << slot_shift_;
  for (std::uint64_t bytes = kMostBytes; bytes >= kLeastBytes; bytes /= 2) {
    void* base = mmap(nullptr, bytes + slot_bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) continue;
    begin_ =
        (reinterpret_cast<std::uint64_t>(base) + slot_bytes - 1) & -slot_bytes;
    bytes_ = bytes;
    arena_bytes_ = arena_bytes;
    return true;
  }
  return false;
}

void* NativeArenas::Acquire(std::size_t bytes) {
  if (!begun_) {
    void* base = Map(bytes);
    if (base != nullptr && bytes >= kLeastArenaBytes) {
      if (start_live_ < kMostStartMappings) {
        start_[start_live_] = {reinterpret_cast<std::uint64_t>(base), bytes};
      }
      ++start_live_;
      ++start_created_;
    }
    return base;
  }
  if (bytes < kLeastArenaBytes) return Map(bytes);
  if (bytes_ == 0 && !Reserve(bytes)) return nullptr;
  if (bytes != arena_bytes_ || created_ >= bytes_ >> slot_shift_) {
    return nullptr;
  }
  void* base = reinterpret_cast<void*>(begin_ + (created_ << slot_shift_) +
                                       OffsetOf(created_));
  if (mmap(base, bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return nullptr;
  }
  if (events.acquired != nullptr) events.acquired(created_);
  ++created_;
  return base;
}

void NativeArenas::Release(void* base, std::size_t bytes) {
  Position position;
  if (Find(base, &position)) {
    static_cast<void>(
        mmap(base, bytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0));
    ++released_;
    if (events.released != nullptr) events.released(position.arena);
    return;
  }
  munmap(base, bytes);
  for (std::size_t i = 0; i < start_live_ && i < kMostStartMappings; ++i) {
    if (start_[i].base != reinterpret_cast<std::uint64_t>(base)) continue;
    start_[i] = start_[--start_live_ % kMostStartMappings];
    return;
  }
}

}  // namespace arenalab
