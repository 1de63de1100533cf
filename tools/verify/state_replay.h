// One allocator state under replay: the clone's heap, its arenas on both sides,
// and what stands in for the raw domain. An isolated interpreter of 3.12+ has a
// state of its own; every other program has one.
//
// Internal to this folder: a template, so that the clone's calls stay direct.
// THREADS. One.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/heap.h"
#include "tools/verify/arena_ledger.h"
#include "tools/verify/heap_seed.h"
#include "tools/verify/raw_stand_in.h"
#include "tracer/event.h"

namespace arenalab {

template <class G>
class StateReplay {
 public:
  StateReplay()
      : ledger_(G::kGeometry.arena_bytes),
        heap_(HeapOptions{.arena_source = ledger_.Source(),
                          .raw_source = raw_.Source(),
                          .metadata_source = LibcRawSource(),
                          .settings = {}}) {}

  ArenaLedger& ledger() { return ledger_; }
  const ArenaLedger& ledger() const { return ledger_; }
  const Heap<G>& heap() const { return heap_; }

  // The clone's answer to a request of any kind but free. `old` is the clone's
  // block for kRealloc, nullptr where the interpreter had none.
  void* Request(const Event& event, void* old) {
    raw_.set_fails(event.address == 0);
    switch (event.kind) {
      case EventKind::kZeroed:
        return heap_.AllocateZeroed(1, event.size_bytes);
      case EventKind::kAligned:
        return heap_.AllocateAligned(event.align_bytes, event.size_bytes);
      case EventKind::kRealloc:
        return heap_.Reallocate(old, event.size_bytes);
      default:
        return heap_.Allocate(event.size_bytes);
    }
  }
  void Free(void* p) { heap_.Free(p); }
  // Stands for a block of the raw domain that the recording never saw made.
  void* RawBlock() { return raw_.Block(); }

  // Goes on from a heap. Calls visit(recorded address, clone's block) for each
  // live block. False: it is none of this generation. REQUIRES: nothing was
  // asked of it yet.
  template <class Visitor>
  bool Plant(const HeapImage& image, Visitor&& visit) {
    for (const ArenaImage& arena : image.arenas) {
      ledger_.RecordAcquire(arena.base);
    }
    return HeapSeed<G>(image, &heap_).Plant(visit);
  }

  // Bytes of the block that a request of that size gets; 0: not pymalloc's.
  static std::size_t ClassBytes(std::size_t size_bytes) {
    return IsSmall(G::kGeometry, size_bytes)
               ? BlockSize<G>(ClassOf(G::kGeometry, size_bytes))
               : 0;
  }

 private:
  RawStandIn raw_;
  ArenaLedger ledger_;
  Heap<G> heap_;  // last: it gives its arenas back to the ledger
};

}  // namespace arenalab
