// Objects are known by ObjectTable's numbers and the clone's own blocks, as in
// trace_replay.h, so that it goes on in step whatever the trace says: each
// block of the clone's is given up once.
//
// One instance for all generations: the heap's sizes are read at run time. Only
// packing and reading packed traces run it.
#include "tools/verify/clone_predictor.h"

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tools/verify/arena_ledger.h"
#include "tools/verify/raw_stand_in.h"
#include "tracer/format/input_error.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

// Smaller mappings are the interpreter's frame stack, not arenas.
constexpr std::size_t kSmallestArenaBytes = std::size_t{256} << 10;

class ClonePredictor : public AddressPredictor {
 public:
  ClonePredictor(std::string settings, std::size_t arena_bytes)
      : settings_(std::move(settings)), arena_bytes_(arena_bytes) {}

  std::uint64_t Predict(const Event& event) override {
    State* state = &StateOf(event.state);
    void* old = nullptr;
    if (event.kind == EventKind::kRealloc && event.old_address != 0) {
      const std::uint32_t object = GiveUp(event, event.old_address);
      if (object != kNoObject) {
        old = blocks_[object].p;
        state = blocks_[object].state;
      }
    }
    if (!state->ledger.quiet())
      Between(*state, event, &ArenaLedger::BeginRequest);
    pending_ = {Request(*state, event, old), state};
    if (!state->ledger.quiet())
      Between(*state, event, &ArenaLedger::EndRequest);
    const Place place = state->ledger.Translate(pending_.p);
    return place.in_arena ? place.address : 0;
  }

  void Observe(const Event& event) override {
    if (event.kind == EventKind::kArenaAcquire ||
        event.kind == EventKind::kArenaRelease) {
      ObserveArena(event);
    } else if (IsPredictable(event)) {
      Own(event);
    } else if (event.kind == EventKind::kFree && event.depth == 0 &&
               (event.layer == Layer::kMem || event.layer == Layer::kObject) &&
               event.address != 0) {
      Free(event);
    }
  }

 private:
  struct State {
    State(const std::string& settings, std::size_t arena_bytes)
        : ledger(arena_bytes),
          heap(HeapOptions{.arena_source = ledger.Source(),
                           .raw_source = raw.Source(),
                           .metadata_source = LibcRawSource(),
                           .settings = settings}) {}
    RawStandIn raw;
    ArenaLedger ledger;
    Heap<RuntimeGeneration> heap;  // last: it gives its arenas back
  };
  struct Block {
    void* p = nullptr;
    State* state = nullptr;
  };

  State& StateOf(std::uint32_t id) {
    if (last_ != nullptr && id == last_id_) return *last_;
    std::unique_ptr<State>& state = states_[id];
    if (!state) state = std::make_unique<State>(settings_, arena_bytes_);
    last_id_ = id;
    last_ = state.get();
    return *last_;
  }

  // The address is not known: a request that failed is taken for one that did
  // not, and its block is given up in Own().
  static void* Request(State& state, const Event& event, void* old) {
    switch (event.kind) {
      case EventKind::kZeroed:
        return state.heap.AllocateZeroed(1, event.size_bytes);
      case EventKind::kAligned:
        return state.heap.AllocateAligned(event.align_bytes, event.size_bytes);
      case EventKind::kRealloc:
        return state.heap.Reallocate(old, event.size_bytes);
      default:
        return state.heap.Allocate(event.size_bytes);
    }
  }

  // Differences between clone and recording are verify's to report.
  void Between(State& state, const Event& event,
               void (ArenaLedger::*step)(EventKind)) {
    (state.ledger.*step)(event.kind);
    state.ledger.TakeDifferences();
    if (state.ledger.out_of_memory()) {
      throw InputError(
          "no memory for the clone of a packed trace; free some, or raise "
          "`ulimit -v`");
    }
  }

  std::uint32_t GiveUp(const Event& event, std::uint64_t address) {
    Event freed = event;
    freed.kind = EventKind::kFree;
    freed.address = address;
    freed.lag = 0;
    return objects_.Identify(freed).object;
  }

  void Own(const Event& event) {
    if (pending_.p == nullptr) return;
    Event born = event;
    born.kind = EventKind::kAlloc;
    if (event.address == 0) {
      if (event.kind != EventKind::kRealloc || event.old_address == 0) {
        pending_.state->heap.Free(pending_.p);
        return;
      }
      born.address = event.old_address;  // it stays where it was
    }
    const std::uint32_t object = objects_.Identify(born).object;
    if (object >= blocks_.size()) {
      blocks_.resize(std::size_t{object} * 2 + 1024);
    }
    blocks_[object] = pending_;
    pending_ = {};
  }

  void Free(const Event& event) {
    const std::uint32_t object = GiveUp(event, event.address);
    if (object == kNoObject) return;
    State& state = *blocks_[object].state;
    if (!state.ledger.quiet())
      Between(state, event, &ArenaLedger::BeginRequest);
    state.heap.Free(blocks_[object].p);
    if (!state.ledger.quiet()) Between(state, event, &ArenaLedger::EndRequest);
  }

  void ObserveArena(const Event& event) {
    if (event.size_bytes < kSmallestArenaBytes) return;
    ArenaLedger& ledger = StateOf(event.state).ledger;
    if (event.size_bytes != arena_bytes_) {
      ledger.RecordOtherSize();
    } else if (event.kind == EventKind::kArenaAcquire) {
      ledger.RecordAcquire(event.address);
    } else {
      ledger.RecordRelease(event.address);
    }
  }

  const std::string settings_;
  const std::size_t arena_bytes_;
  ObjectTable objects_;
  std::vector<Block> blocks_;  // by object number
  std::unordered_map<std::uint32_t, std::unique_ptr<State>> states_;
  std::uint32_t last_id_ = 0;
  State* last_ = nullptr;
  Block pending_;  // what Predict told, until Observe
};

}  // namespace

std::unique_ptr<AddressPredictor> MakeClonePredictor(
    const std::string& generation) {
  const auto canonical = ResolveGeometry(generation);
  if (!canonical.has_value()) return nullptr;
  std::string settings = "geometry:" + std::string(*canonical);
  HeapSettings values;
  if (ReadHeapSettings(settings, &values) != nullptr) return nullptr;
  return std::make_unique<ClonePredictor>(std::move(settings),
                                          values.geometry.arena_bytes);
}

}  // namespace arenalab
