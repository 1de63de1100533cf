// The arenas of one allocator state, on both sides: what the interpreter
// acquired and released, and what the clone does. Hands the clone real memory
// and translates its addresses into the recording's.
//
//   reserved   | slot 0            | slot 1            | slot 2        ...
//   memory     |--[ arena ]--------|----[ arena ]------|
//                 ^ base % arena_bytes as recorded
//
// Each slot is two arenas long, so that an arena fits with the very
// misalignment that it had in the recording: pool counts and radix entries then
// come out the same. The slot of an address is one shift away. The clone learns
// nothing else: never a block's address.
//
// ORDER. The recording has a request's arena events before the request for
// malloc, calloc and realloc, and after it for free. So a recorded acquisition
// waits in line until the clone asks, and releases wait on whichever side came
// first until the other follows.
//
// OWNERSHIP. The memory lives as long as the ledger; Source() points at it.
// THREADS. One. ERRORS. The constructor throws InputError when there is no
// address space; later shortage, which a heap cannot throw through, is told by
// out_of_memory().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "allocators/arena_source.h"
#include "tools/verify/report.h"

namespace arenalab {

// The ordinal of an arena that only the clone has, or that the interpreter had
// acquired before the recording began.
inline constexpr std::uint64_t kNoArena = ~std::uint64_t{0};

class ArenaLedger {
 public:
  explicit ArenaLedger(std::size_t arena_bytes);
  ~ArenaLedger();
  ArenaLedger(const ArenaLedger&) = delete;
  ArenaLedger& operator=(const ArenaLedger&) = delete;

  // For the clone. acquire() fails where the recorded acquisition failed
  // (address 0).
  ArenaSource Source();

  // What the recording says.
  void RecordAcquire(std::uint64_t base);
  void RecordRelease(std::uint64_t base);
  // An arena of another generation's size: the clone is the wrong one, and the
  // recording is not late().
  void RecordOtherSize() { other_size_ = true; }

  // The clone's address as the recording would write it; in_arena is false for
  // the raw source's. In an arena that the recording does not have, address is
  // 0 and arena kNoArena.
  Place Translate(const void* p) const;
  // Whether a recorded address lies in an arena that the interpreter holds.
  bool InRecordedArena(std::uint64_t address, Place* place) const;

  // An arena event that one side has and the other has not.
  struct Difference {
    MismatchKind what;
    Place expected;
    Place recorded;
  };

  // Nothing waits and nothing differs: BeginRequest and EndRequest need not be
  // called.
  bool quiet() const {
    return waiting_acquires_.empty() && clone_releases_.empty() &&
           recorded_releases_.empty() && differences_.empty() &&
           !out_of_memory_;
  }
  // Before a request. What a free left open must have been answered by now; a
  // realloc's own releases stand before it and stay open.
  void BeginRequest(EventKind kind);
  // After a request. Acquisitions must have been claimed, releases too, except
  // a free's: their record follows.
  void EndRequest(EventKind kind);
  // What was found since the last call.
  std::vector<Difference> TakeDifferences();

  // The recording began when the interpreter had arenas already: the clone
  // wanted one before the recording shows any. Nothing can be compared then,
  // and differences are no longer collected.
  bool late() const { return late_; }
  // The interpreter gave every arena back at once, blocks and all, and has not
  // asked for anything since: what 3.13 does with the state of an interpreter
  // that ends.
  bool given_up() const {
    return recorded_arenas_.empty() && !recorded_releases_.empty() &&
           clone_releases_.empty();
  }
  bool out_of_memory() const { return out_of_memory_; }
  std::uint64_t acquired() const { return acquired_; }
  std::uint64_t released() const { return released_; }

 private:
  struct Slot {
    std::byte* base = nullptr;        // clone's; nullptr: slot is free
    std::uint64_t recorded_base = 0;  // 0: not in the recording
    std::uint64_t ordinal = 0;
  };
  struct Waiting {
    std::uint64_t base;
    std::uint64_t ordinal;
    bool told;  // already reported as unclaimed
  };

  void* Acquire();
  void Release(void* base);
  void MatchReleases();
  void Differ(MismatchKind what, const Place& expected, const Place& recorded);

  std::size_t arena_bytes_;
  unsigned slot_shift_;
  std::byte* reserved_ = nullptr;
  std::size_t reserved_bytes_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;

  std::deque<Waiting> waiting_acquires_;
  std::deque<Place> clone_releases_;     // done by the clone, not yet recorded
  std::deque<Place> recorded_releases_;  // recorded, not yet done by the clone
  std::map<std::uint64_t, std::uint64_t> recorded_arenas_;  // base -> ordinal
  std::vector<Difference> differences_;
  std::uint64_t acquired_ = 0;
  std::uint64_t released_ = 0;
  bool other_size_ = false;
  bool late_ = false;
  bool out_of_memory_ = false;
};

}  // namespace arenalab
