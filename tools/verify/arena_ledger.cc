// Pairs what the interpreter and the clone acquire and release.
#include "tools/verify/arena_ledger.h"

#include <sys/mman.h>

#include <bit>
#include <utility>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::size_t kMostReserved = std::size_t{1} << 40;
constexpr std::size_t kLeastReserved = std::size_t{1} << 28;

}  // namespace

ArenaLedger::ArenaLedger(std::size_t arena_bytes)
    : arena_bytes_(arena_bytes),
      slot_shift_(static_cast<unsigned>(
          std::bit_width(std::bit_ceil(arena_bytes) * 2) - 1)) {
  // Address space only; a limit on it (ulimit -v) leaves fewer slots.
  for (reserved_bytes_ = kMostReserved; reserved_bytes_ >= kLeastReserved;
       reserved_bytes_ /= 2) {
    void* memory = mmap(nullptr, reserved_bytes_, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) {
      reserved_ = static_cast<std::byte*>(memory);
      return;
    }
  }
  throw InputError(
      "verify: no address space for the clone's arenas; raise `ulimit -v`");
}

ArenaLedger::~ArenaLedger() { munmap(reserved_, reserved_bytes_); }

ArenaSource ArenaLedger::Source() {
  return ArenaSource{.context = this,
                     .acquire =
                         [](void* context, std::size_t) {
                           return static_cast<ArenaLedger*>(context)->Acquire();
                         },
                     .release =
                         [](void* context, void* base, std::size_t) {
                           static_cast<ArenaLedger*>(context)->Release(base);
                         }};
}

void ArenaLedger::RecordAcquire(std::uint64_t base) {
  waiting_acquires_.push_back({base, acquired_, false});
  if (base == 0) return;  // it failed
  recorded_arenas_[base] = acquired_++;
}

void ArenaLedger::RecordRelease(std::uint64_t base) {
  Place place{
      .address = base, .arena = kNoArena, .offset = 0, .in_arena = true};
  if (auto it = recorded_arenas_.find(base); it != recorded_arenas_.end()) {
    place.arena = it->second;
    recorded_arenas_.erase(it);
  }
  ++released_;
  recorded_releases_.push_back(place);
  MatchReleases();
}

void* ArenaLedger::Acquire() {
  Waiting recorded{0, kNoArena, false};
  if (waiting_acquires_.empty()) {
    if (acquired_ == 0 && !other_size_) late_ = true;
    Differ(MismatchKind::kArenaOnlyClone, {}, {});
  } else {
    recorded = waiting_acquires_.front();
    waiting_acquires_.pop_front();
    if (recorded.base == 0) return nullptr;
    if (recorded.told) {  // claimed, but by a later request
      Differ(MismatchKind::kArenaOnlyClone, {}, {});
    }
  }
  std::uint32_t number;
  if (free_slots_.empty()) {
    number = static_cast<std::uint32_t>(slots_.size());
    std::byte* start =
        reserved_ + (static_cast<std::size_t>(number) << slot_shift_);
    if ((static_cast<std::size_t>(number) + 1) << slot_shift_ >
            reserved_bytes_ ||
        mprotect(start, std::size_t{1} << slot_shift_,
                 PROT_READ | PROT_WRITE) != 0) {
      out_of_memory_ = true;
      return nullptr;
    }
    slots_.push_back({});
  } else {
    number = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& slot = slots_[number];
  slot.base = reserved_ + (static_cast<std::size_t>(number) << slot_shift_) +
              recorded.base % std::bit_ceil(arena_bytes_);
  slot.recorded_base = recorded.base;
  slot.ordinal = recorded.ordinal;
  return slot.base;
}

void ArenaLedger::Release(void* base) {
  clone_releases_.push_back(Translate(base));
  MatchReleases();
  const std::size_t number =
      static_cast<std::size_t>(static_cast<std::byte*>(base) - reserved_) >>
      slot_shift_;
  slots_[number] = {};
  free_slots_.push_back(static_cast<std::uint32_t>(number));
  // The next arena in this slot must be zero again, as from mmap.
  madvise(reserved_ + (number << slot_shift_), std::size_t{1} << slot_shift_,
          MADV_DONTNEED);
}

void ArenaLedger::MatchReleases() {
  while (!clone_releases_.empty() && !recorded_releases_.empty()) {
    const Place expected = clone_releases_.front();
    const Place recorded = recorded_releases_.front();
    clone_releases_.pop_front();
    recorded_releases_.pop_front();
    if (expected.address != recorded.address) {
      Differ(MismatchKind::kReleaseOther, expected, recorded);
    }
  }
}

Place ArenaLedger::Translate(const void* p) const {
  const auto distance =
      static_cast<std::size_t>(static_cast<const std::byte*>(p) - reserved_);
  if (distance >= reserved_bytes_) return {};
  const Slot& slot = slots_[distance >> slot_shift_];
  const auto offset =
      static_cast<std::uint64_t>(static_cast<const std::byte*>(p) - slot.base);
  return {.address = slot.recorded_base == 0 ? 0 : slot.recorded_base + offset,
          .arena = slot.ordinal,
          .offset = offset,
          .in_arena = true};
}

bool ArenaLedger::InRecordedArena(std::uint64_t address, Place* place) const {
  auto it = recorded_arenas_.upper_bound(address);
  if (it == recorded_arenas_.begin()) return false;
  --it;
  if (address - it->first >= arena_bytes_) return false;
  *place = {.address = address,
            .arena = it->second,
            .offset = address - it->first,
            .in_arena = true};
  return true;
}

void ArenaLedger::BeginRequest(EventKind kind) {
  for (const Place& place : clone_releases_) {
    Differ(MismatchKind::kReleaseOnlyClone, place, {});
  }
  clone_releases_.clear();
  if (kind == EventKind::kRealloc) return;
  for (const Place& place : recorded_releases_) {
    Differ(MismatchKind::kReleaseOnlyInterpreter, {}, place);
  }
  recorded_releases_.clear();
}

void ArenaLedger::EndRequest(EventKind kind) {
  for (Waiting& waiting : waiting_acquires_) {
    if (waiting.told) continue;
    waiting.told = true;
    const Place place{.address = waiting.base,
                      .arena = waiting.ordinal,
                      .offset = 0,
                      .in_arena = true};
    Differ(MismatchKind::kArenaOnlyInterpreter, {}, place);
  }
  // A told acquisition waits on for the clone to come after; a handful do no
  // harm, but a wrong generation must not make the line grow for ever.
  while (waiting_acquires_.size() > 64) waiting_acquires_.pop_front();
  if (kind == EventKind::kFree) return;
  BeginRequest(EventKind::kAlloc);
}

void ArenaLedger::Differ(MismatchKind what, const Place& expected,
                         const Place& recorded) {
  if (!late_) differences_.push_back({what, expected, recorded});
}

std::vector<ArenaLedger::Difference> ArenaLedger::TakeDifferences() {
  return std::exchange(differences_, {});
}

}  // namespace arenalab
