// Workloads whose figure is memory, the same on every run: blowup, phase-shift,
// size-doubling, survivor-per-pool. In words: README.md.
#include <algorithm>
#include <thread>

#include "tools/bench/workload.h"

namespace arenalab {
namespace {

std::int64_t BytesOf(const FilledList& objects) {
  std::int64_t bytes = 0;
  for (const Filled& object : objects) bytes += object.bytes;
  return bytes;
}

// Times `body` and takes over its counts. What is held is body's to tell.
template <typename Body>
WorkloadOutcome RunAlone(WorkloadHeap& heap, Body body) {
  WorkloadOutcome outcome;
  RunTogether(heap, 1, &outcome,
              [&](Worker& me, unsigned) { body(me, &outcome); });
  return outcome;
}

}  // namespace

WorkloadOutcome RunBlowup(WorkloadHeap& heap, const WorkloadOptions& options) {
  constexpr unsigned kThreads = 16;
  const std::size_t count = 40'000 / options.divide;
  const std::int64_t start = ResidentNow();
  std::int64_t first = 0;
  return RunAlone(heap, [&](Worker& me, WorkloadOutcome* outcome) {
    for (unsigned i = 0; i < kThreads; ++i) {
      std::int64_t peak = 0;
      const auto live = [&] {
        FilledList objects(count);
        for (Filled& object : objects) object = me.Make(16 + me.Below(497));
        for (std::size_t churn = 0; churn < count; ++churn) {
          Filled& object = objects[me.Below(count)];
          me.Drop(&object);
          object = me.Make(16 + me.Below(497));
        }
        peak = ResidentNow() - start;
        outcome->live_bytes = BytesOf(objects);
        TakeHeld(heap, start, outcome);
        for (Filled& object : objects) me.Drop(&object);
      };
      std::thread(live).join();
      if (i == 0) first = peak;
      outcome->blowup =
          first > 0 ? static_cast<double>(peak) / static_cast<double>(first)
                    : 0;
    }
  });
}

WorkloadOutcome RunPhaseShift(WorkloadHeap& heap,
                              const WorkloadOptions& options) {
  // Each phase asks for sizes that no other does.
  constexpr unsigned kSizes[] = {40, 104, 168, 264, 360, 488};
  const std::size_t phase_bytes = (std::size_t{16} << 20) / options.divide;
  FilledList survivors;
  const std::int64_t start = ResidentNow();
  return RunAlone(heap, [&](Worker& me, WorkloadOutcome* outcome) {
    for (const unsigned size : kSizes) {
      FilledList objects(phase_bytes / size);
      for (Filled& object : objects) object = me.Make(size);
      for (std::size_t i = 0; i < objects.size(); ++i) {
        if (i % 25 == 0) {  // 4 % of them
          survivors.push_back(objects[i]);
        } else {
          me.Drop(&objects[i]);
        }
      }
    }
    outcome->live_bytes = BytesOf(survivors);
    TakeHeld(heap, start, outcome);
    for (Filled& object : survivors) me.Drop(&object);
  });
}

WorkloadOutcome RunSizeDoubling(WorkloadHeap& heap,
                                const WorkloadOptions& options) {
  const std::int64_t most = (std::int64_t{16} << 20) / options.divide;
  const std::int64_t start = ResidentNow();
  return RunAlone(heap, [&](Worker& me, WorkloadOutcome* outcome) {
    FilledList objects;
    for (unsigned size = 16; size <= 512; size *= 2) {
      // Every second object goes: what it leaves is too small for what comes.
      FilledList kept;
      for (std::size_t i = 0; i < objects.size(); ++i) {
        if (i % 2 == 0) {
          kept.push_back(objects[i]);
        } else {
          me.Drop(&objects[i]);
        }
      }
      objects.swap(kept);
      for (std::int64_t live = BytesOf(objects); live + size <= most;
           live += size) {
        objects.push_back(me.Make(size));
      }
    }
    outcome->live_bytes = BytesOf(objects);
    TakeHeld(heap, start, outcome);
    for (Filled& object : objects) me.Drop(&object);
  });
}

WorkloadOutcome RunSurvivorPerPool(WorkloadHeap& heap,
                                   const WorkloadOptions& options) {
  // One pool of CPython >= 3.10 holds (16384 - 48) / 64 of these.
  constexpr std::size_t kBytes = 64;
  constexpr std::size_t kOfOnePool = (16384 - 48) / kBytes;
  static_assert(kOfOnePool == 255);
  const std::size_t pools = 2048 / options.divide;
  const std::int64_t start = ResidentNow();
  return RunAlone(heap, [&](Worker& me, WorkloadOutcome* outcome) {
    FilledList objects(pools * kOfOnePool);
    for (Filled& object : objects) object = me.Make(kBytes);
    FilledList survivors;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if (i % kOfOnePool == 0) {
        survivors.push_back(objects[i]);
      } else {
        me.Drop(&objects[i]);
      }
    }
    outcome->live_bytes = BytesOf(survivors);
    TakeHeld(heap, start, outcome);
    for (Filled& object : survivors) me.Drop(&object);
  });
}

}  // namespace arenalab
