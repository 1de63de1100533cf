// Workloads whose figure is operations per second: threadtest, larson, mstress,
// alloc-test. In words: README.md.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <thread>

#include "tools/bench/workload.h"

namespace arenalab {

WorkloadOutcome RunThreadtest(WorkloadHeap& heap,
                              const WorkloadOptions& options) {
  constexpr unsigned kObjects = 100'000;
  constexpr unsigned kBytes = 8;
  const unsigned rounds = std::max(1u, 20 / options.divide);
  WorkloadOutcome outcome;
  RunTogether(heap, options.threads, &outcome, [&](Worker& me, unsigned i) {
    const unsigned share =
        kObjects * (i + 1) / options.threads - kObjects * i / options.threads;
    FilledList objects(share);
    for (unsigned round = 0; round < rounds; ++round) {
      for (Filled& object : objects) object = me.Make(kBytes);
      for (Filled& object : objects) me.Drop(&object);
    }
  });
  return outcome;
}

WorkloadOutcome RunLarson(WorkloadHeap& heap, const WorkloadOptions& options) {
  constexpr unsigned kSlots = 4096;
  constexpr unsigned kGenerations = 8;
  const unsigned rounds = 1'200'000 / options.divide / kGenerations;
  FilledList slots(kSlots);
  WorkloadOutcome outcome;
  RunTogether(heap, options.threads, &outcome, [&](Worker& me, unsigned i) {
    const unsigned first = kSlots * i / options.threads;
    const unsigned last = kSlots * (i + 1) / options.threads;
    const unsigned share =
        rounds * (i + 1) / options.threads - rounds * i / options.threads;
    // Each generation but the first is a thread of its own, which inherits the
    // slots: what it frees was allocated by one that is gone.
    for (unsigned generation = 0; generation < kGenerations; ++generation) {
      const auto live = [&] {
        for (unsigned round = 0; round < share; ++round) {
          Filled& slot = slots[first + me.Below(last - first)];
          me.Drop(&slot);
          slot = me.Make(5 + me.Below(996));
        }
      };
      if (generation == 0 || options.threads == 1) {
        live();
      } else {
        std::thread(live).join();
      }
    }
    for (unsigned slot = first; slot < last; ++slot) me.Drop(&slots[slot]);
  });
  return outcome;
}

WorkloadOutcome RunMstress(WorkloadHeap& heap, const WorkloadOptions& options) {
  constexpr unsigned kTransfers = 1000;
  const unsigned per_thread = 400'000 / options.divide / options.threads;
  const auto table = std::make_unique<std::atomic<Filled*>[]>(kTransfers);
  std::vector<FilledList> given(options.threads);
  WorkloadOutcome outcome;
  RunTogether(
      heap, options.threads, &outcome, [&](Worker& me, unsigned number) {
        FilledList objects;
        FilledList kept;
        objects.reserve(per_thread);
        kept.reserve(per_thread);
        FilledList& mine =
            given[number];  // what this thread puts into the table
        mine.reserve(per_thread);
        const auto size = [&] {
          // Mostly small, now and then large, as programs are.
          const std::uint64_t kind = me.Below(100);
          return kind == 0   ? 1 + me.Below(32768)
                 : kind < 10 ? 1 + me.Below(2048)
                             : 1 + me.Below(256);
        };
        for (unsigned i = 0; i < per_thread; ++i) {
          if (me.Below(4) == 0) {
            kept.push_back(me.Make(size()));
          } else {
            objects.push_back(me.Make(size()));
          }
          if (me.Below(3) != 0 &&
              !objects.empty()) {  // two thirds go, at random
            std::swap(objects[me.Below(objects.size())], objects.back());
            me.Drop(&objects.back());
            objects.pop_back();
          }
          if (me.Below(4) == 0 && !objects.empty()) {
            // What lies in the table is another thread's, perhaps; it is ours
            // now.
            mine.push_back(objects.back());
            Filled* other = table[me.Below(kTransfers)].exchange(&mine.back());
            if (other != nullptr) {
              objects.back() = *other;
            } else {
              objects.pop_back();
            }
          }
        }
        for (Filled& object : objects) me.Drop(&object);
        for (Filled& object : kept) me.Drop(&object);
      });
  Worker last(heap, 0);
  for (unsigned i = 0; i < kTransfers; ++i) {
    Filled* filled = table[i].load();
    if (filled == nullptr) continue;
    last.Drop(filled);
  }
  outcome.operations += last.operations;
  outcome.wrong += last.wrong;
  return outcome;
}

WorkloadOutcome RunAllocTest(WorkloadHeap& heap,
                             const WorkloadOptions& options) {
  constexpr unsigned kSlots = 1 << 15;
  const unsigned per_thread = 2'000'000 / options.divide / options.threads;
  WorkloadOutcome outcome;
  RunTogether(heap, options.threads, &outcome, [&](Worker& me, unsigned) {
    FilledList slots(kSlots / options.threads + 1);
    for (unsigned i = 0; i < per_thread; ++i) {
      // u^5: four fifths of the uses fall on a third of the slots.
      const double u = static_cast<double>(me.Below(1 << 20)) / (1 << 20);
      Filled& slot = slots[static_cast<std::size_t>(
          u * u * u * u * u * static_cast<double>(slots.size()))];
      if (slot.block != nullptr) {
        me.Drop(&slot);
      } else {
        slot = me.Make(8 + me.Below(1 << (3 + me.Below(8))));
      }
    }
    for (Filled& slot : slots) me.Drop(&slot);
  });
  return outcome;
}

}  // namespace arenalab
