// The comparison itself: takes the events of a recording in order, drives the
// clone, and counts in a VerifyReport what was served, compared and different.
//
// Objects are known by ObjectTable's numbers and the clone's own blocks, never
// by the recorded address, so that the replay goes on in step after a mismatch.
//
// Internal to this folder. THREADS. One.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "tools/verify/state_replay.h"
#include "tools/verify/verify.h"
#include "tracer/format/input_error.h"
#include "tracer/format/object_table.h"

namespace arenalab {

// Of all generations.
inline constexpr std::size_t kSmallestArenaBytes = 256 * kKiB;

template <class G>
class TraceReplay {
 public:
  explicit TraceReplay(VerifyReport* report) : report_(report) {}

  // Name of the trace that the following events come from, for messages.
  void BeginFile(const std::string& path) { file_ = path; }

  // The heaps with which the first file begins, where it begins in the middle
  // of its program. Before the first event. False: they are not this
  // generation's; the report says so.
  bool Seed(const std::vector<HeapImage>& heaps) {
    for (const HeapImage& heap : heaps) {
      if (states_.count(heap.state) != 0 || !Plant(StateOf(heap.state), heap)) {
        report_->reason = "the heap with which it begins is not " +
                          std::string(G::kName) +
                          "'s, or there is no memory for a clone of it";
        return false;
      }
      report_->seeded_arenas += heap.arenas.size();
    }
    return true;
  }

  void Apply(const Event& event) {
    if (event.kind == EventKind::kArenaAcquire ||
        event.kind == EventKind::kArenaRelease) {
      ApplyArena(event);
      return;
    }
    if (!IsRequest(event.kind) || event.depth != 0 ||
        (event.layer != Layer::kMem && event.layer != Layer::kObject)) {
      return;
    }
    State& state = StateOf(event.state);
    if (event.kind == EventKind::kFree) {
      ApplyFree(state, event);
    } else {
      ApplyAllocation(state, event);
    }
  }

  // The clone's heap of a state; nullptr where it was asked for nothing.
  const Heap<G>* HeapOf(std::uint32_t state) const {
    const auto found = states_.find(state);
    return found == states_.end() ? nullptr : &found->second->heap();
  }

  // After the last event; `whole`: nothing that belongs to it is missing.
  void Finish(bool whole) {
    report_->states = states_.size();
    for (auto& [id, state] : states_) {
      const bool ended = id != 0 && state->ledger().given_up();
      if (whole && !ended) {
        Event end{};
        end.kind = EventKind::kFree;
        end.state = id;
        end.request = report_->requests;
        state->ledger().BeginRequest(end.kind);
        ReportArenas(*state, end);
      }
      report_->arenas_acquired += state->ledger().acquired();
      report_->arenas_released += state->ledger().released();
      if (state->ledger().late() && report_->reason.empty()) {
        report_->reason =
            "the recording began when the interpreter had arenas already "
            "(state " +
            std::to_string(id) + ")";
      }
    }
  }

 private:
  using State = StateReplay<G>;

  bool Plant(State& state, const HeapImage& heap) {
    Event event;
    event.kind = EventKind::kAlloc;
    event.layer = Layer::kObject;
    event.state = heap.state;
    return state.Plant(heap, [&](std::uint64_t address, void* block) {
      event.address = address;
      Remember(objects_.Identify(event).object, block, state);
      ++report_->seeded_blocks;
    });
  }

  void Remember(std::uint32_t object, void* p, State& state) {
    if (object >= blocks_.size()) {
      blocks_.resize(std::size_t{object} * 2 + 1024);
    }
    blocks_[object] = {p, &state};
  }

  struct Block {
    void* p = nullptr;       // the clone's
    State* state = nullptr;  // whose heap it is from
  };

  State& StateOf(std::uint32_t id) {
    if (last_state_ != nullptr && id == last_id_) return *last_state_;
    std::unique_ptr<State>& state = states_[id];
    if (state == nullptr) state = std::make_unique<State>();
    last_id_ = id;
    last_state_ = state.get();
    return *state;
  }

  // Chunks of the interpreter's frame stack (16 KiB, 3.11+) come through the
  // arena allocator too; only the arena size makes an arena.
  void ApplyArena(const Event& event) {
    if (event.size_bytes < kSmallestArenaBytes) return;
    ArenaLedger& ledger = StateOf(event.state).ledger();
    if (event.size_bytes != G::kGeometry.arena_bytes) {
      ledger.RecordOtherSize();
      return;
    }
    if (event.kind == EventKind::kArenaAcquire) {
      ledger.RecordAcquire(event.address);
    } else {
      ledger.RecordRelease(event.address);
    }
  }

  void ApplyFree(State& state, const Event& event) {
    if (event.address == 0) return;
    const Identified identified = objects_.Identify(event);
    if (identified.object == kNoObject) {
      UnknownBlock(state, event, event.address);
      return;
    }
    const Block block = blocks_[identified.object];
    if (!block.state->ledger().quiet()) {
      block.state->ledger().BeginRequest(event.kind);
      ReportArenas(*block.state, event);
    }
    report_->frees += block.state->ledger().Translate(block.p).in_arena;
    block.state->Free(block.p);
    if (!block.state->ledger().quiet()) {
      block.state->ledger().EndRequest(event.kind);
      ReportArenas(*block.state, event);
    }
  }

  void ApplyAllocation(State& allocating, const Event& event) {
    // A realloc that failed left its block where it was, in the clone too: a
    // block of pymalloc's moves only after its new place was found.
    const bool moves =
        event.kind == EventKind::kRealloc && event.old_address != 0;
    if (event.address == 0 && moves) return;

    Identified identified;
    if (event.address != 0) identified = objects_.Identify(event);
    void* old = nullptr;
    State* state = &allocating;
    if (moves && identified.unknown_old) {
      UnknownBlock(*state, event, event.old_address);
      // pymalloc leaves a block with the raw domain that it finds there,
      // whatever size it is to have.
      old = state->RawBlock();
    } else if (moves) {
      old = blocks_[identified.object].p;
      state = blocks_[identified.object].state;
    }

    ArenaLedger& ledger = state->ledger();
    if (!ledger.quiet()) {
      ledger.BeginRequest(event.kind);
      ReportArenas(*state, event);
    }
    void* p = state->Request(event, old);
    Compare(*state, event, p);
    if (!ledger.quiet()) {
      ledger.EndRequest(event.kind);
      ReportArenas(*state, event);
    }
    if (event.address == 0) return;
    if (identified.displaced) DoubleAllocation(*state, event);
    Remember(identified.object, p, *state);
  }

  void Compare(State& state, const Event& event, void* p) {
    const ArenaLedger& ledger = state.ledger();
    const Place expected = ledger.Translate(p);
    if (expected.in_arena && expected.address == event.address) [[likely]] {
      ++report_->served;
      ++report_->compared;
      return;
    }
    Place recorded{.address = event.address,
                   .arena = kNoArena,
                   .offset = 0,
                   .in_arena = false};
    ledger.InRecordedArena(event.address, &recorded);
    if (!expected.in_arena && !recorded.in_arena) return;  // raw in both
    ++report_->served;
    if (ledger.late()) return;
    ++report_->compared;
    Differ(state, event,
           !expected.in_arena   ? MismatchKind::kOnlyInterpreter
           : !recorded.in_arena ? MismatchKind::kOnlyClone
                                : MismatchKind::kAddress,
           expected, recorded);
  }

  // A block given up that the recording never allocated. Before the recording
  // began the raw domain may have made it; in an arena, all of which the
  // recording has from its beginning, that cannot be.
  void UnknownBlock(State& state, const Event& event, std::uint64_t address) {
    ++report_->unknown_objects;
    Place recorded;
    if (state.ledger().late() ||
        !state.ledger().InRecordedArena(address, &recorded)) {
      return;
    }
    Differ(state, event, MismatchKind::kUnknownBlock, {}, recorded);
  }

  // Outside arenas that can be legal: another interpreter, under a lock of its
  // own, may be given what a realloc under way has given up.
  void DoubleAllocation(const State& state, const Event& event) {
    Place recorded;
    if (state.ledger().late() ||
        !state.ledger().InRecordedArena(event.address, &recorded)) {
      return;
    }
    Differ(state, event, MismatchKind::kDoubleAllocation, {}, recorded);
  }

  void ReportArenas(State& state, const Event& event) {
    if (state.ledger().out_of_memory()) {
      throw InputError(file_ +
                       ": no memory for the clone's arenas; free some, or "
                       "raise `ulimit -v`");
    }
    for (const ArenaLedger::Difference& difference :
         state.ledger().TakeDifferences()) {
      Differ(state, event, difference.what, difference.expected,
             difference.recorded);
    }
  }

  void Differ(const State& state, const Event& event, MismatchKind what,
              const Place& expected, const Place& recorded) {
    if (report_->mismatches++ != 0) return;
    report_->first = Mismatch{.what = what,
                              .file = file_,
                              .event = event.request,
                              .kind = event.kind,
                              .layer = event.layer,
                              .state = event.state,
                              .size_bytes = event.size_bytes,
                              .class_bytes = state.ClassBytes(event.size_bytes),
                              .expected = expected,
                              .recorded = recorded};
  }

  VerifyReport* report_;
  std::string file_;
  ObjectTable objects_;
  std::vector<Block> blocks_;  // by object number
  std::unordered_map<std::uint32_t, std::unique_ptr<State>> states_;
  std::uint32_t last_id_ = 0;
  State* last_state_ = nullptr;
};

}  // namespace arenalab
