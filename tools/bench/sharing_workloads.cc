// Workloads in which blocks, or the cache lines they lie on, are used by more
// than one thread: xmalloc, cache-scratch, cache-thrash, message-passing.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "tools/bench/workload.h"

namespace arenalab {
namespace {

using Batch = FilledList;

// A bounded queue of batches, which are exchanged, never copied: their memory
// goes round. A batch is many requests; the queue's own cost is little beside
// them.
class BatchQueue {
 public:
  // Takes a full batch and leaves an empty one; false where there is no room.
  bool TryPut(Batch* batch) {
    const std::lock_guard lock(mutex_);
    if (queued_ == kQueued) return false;
    batches_[(first_ + queued_++) % kQueued].swap(*batch);
    return true;
  }
  // Takes an empty batch and leaves a full one; false where there is none.
  bool TryTake(Batch* batch) {
    const std::lock_guard lock(mutex_);
    if (queued_ == 0) return false;
    batches_[first_].swap(*batch);
    first_ = (first_ + 1) % kQueued;
    --queued_;
    return true;
  }

 private:
  static constexpr std::size_t kQueued = 8;
  std::mutex mutex_;
  Batch batches_[kQueued];
  std::size_t first_ = 0;
  std::size_t queued_ = 0;
};

constexpr std::size_t kBatch = 512;
void MakeBatch(Worker& me, Batch* batch) {
  batch->reserve(kBatch);
  for (std::size_t i = 0; i < kBatch; ++i) {
    batch->push_back(me.Make(8 + me.Below(505)));
  }
}

// A pipeline's stage: takes one batch through it if it can.
struct Stage {
  BatchQueue* from = nullptr;  // nullptr: makes batches
  BatchQueue* to = nullptr;    // nullptr: gives them up
  std::size_t left = 0;        // batches still to go through
  Batch held{};                // waits for room in `to`
};

bool StepStage(Worker& me, Stage* stage) {
  if (stage->left == 0) return false;
  if (stage->held.empty()) {
    if (stage->from == nullptr) {
      MakeBatch(me, &stage->held);
    } else if (!stage->from->TryTake(&stage->held)) {
      return false;
    }
    if (stage->from != nullptr && stage->to != nullptr) {
      // A proxy replaces every other object by one of its own.
      for (std::size_t i = 0; i < stage->held.size(); i += 2) {
        me.Drop(&stage->held[i]);
        stage->held[i] = me.Make(8 + me.Below(505));
      }
    }
  }
  if (stage->to == nullptr) {
    for (Filled& object : stage->held) me.Drop(&object);
    stage->held.clear();
  } else if (!stage->to->TryPut(&stage->held)) {
    return false;
  }
  --stage->left;
  return true;
}

// Pipelines of `length` stages, dealt to the threads in turn: stage s is run by
// thread s % threads. With one thread it runs them all.
WorkloadOutcome RunPipelines(WorkloadHeap& heap, unsigned threads,
                             unsigned length, std::size_t batches) {
  const unsigned pipelines = std::max(1u, threads / length);
  std::vector<Stage> stages(static_cast<std::size_t>(pipelines) * length);
  std::vector<std::unique_ptr<BatchQueue>> queues;
  for (unsigned p = 0; p < pipelines; ++p) {
    for (unsigned s = 0; s < length; ++s) {
      Stage& stage = stages[p * length + s];
      stage.left = batches * (p + 1) / pipelines - batches * p / pipelines;
      stage.from = s == 0 ? nullptr : queues.back().get();
      if (s + 1 < length) {
        queues.push_back(std::make_unique<BatchQueue>());
        stage.to = queues.back().get();
      }
    }
  }
  WorkloadOutcome outcome;
  RunTogether(heap, threads, &outcome, [&](Worker& me, unsigned number) {
    for (bool left = true; left;) {
      left = false;
      bool moved = false;
      for (std::size_t s = number; s < stages.size(); s += threads) {
        moved |= StepStage(me, &stages[s]);
        left |= stages[s].left != 0;
      }
      if (left && !moved) sched_yield();
    }
  });
  return outcome;
}

// Each thread's objects are made in turns, one each, so that who lies beside
// whom does not depend on the scheduler; then each writes its own.
constexpr unsigned kPerThread = 256;

void MakeInTurns(Worker& me, unsigned number, unsigned threads,
                 std::atomic<unsigned>* turn, FilledList* mine) {
  for (unsigned i = 0; i < kPerThread; ++i) {
    while (turn->load(std::memory_order_acquire) != i * threads + number) {
      sched_yield();
    }
    mine->push_back(me.Make(8));
    turn->fetch_add(1, std::memory_order_release);
  }
}

// Writes one object over and over, as a counter would be.
void WriteOften(Filled* filled, unsigned times) {
  auto* word = static_cast<volatile std::uint64_t*>(filled->block);
  const std::uint64_t content = *word;
  for (unsigned i = 0; i < times; ++i) *word = content;
}

}  // namespace

WorkloadOutcome RunXmalloc(WorkloadHeap& heap, const WorkloadOptions& options) {
  return RunPipelines(heap, options.threads, 2,
                      std::max(1u, 2400 / options.divide));
}

WorkloadOutcome RunMessagePassing(WorkloadHeap& heap,
                                  const WorkloadOptions& options) {
  return RunPipelines(heap, options.threads, 3,
                      std::max(1u, 1600 / options.divide));
}

WorkloadOutcome RunCacheScratch(WorkloadHeap& heap,
                                const WorkloadOptions& options) {
  const unsigned rounds = std::max(1u, 4000 / options.divide);
  const unsigned threads = options.threads;
  // One thread hands out all objects, side by side: whoever frees its own and
  // allocates again may be given a line that another still writes.
  Worker first(heap, 99);
  std::vector<FilledList> objects(threads);
  for (unsigned i = 0; i < kPerThread; ++i) {
    for (auto& mine : objects) mine.push_back(first.Make(8));
  }
  WorkloadOutcome outcome;
  RunTogether(heap, threads, &outcome, [&](Worker& me, unsigned number) {
    auto& mine = objects[number];
    for (unsigned round = 0; round < rounds; ++round) {
      Filled& object = mine[round % mine.size()];
      me.Drop(&object);
      object = me.Make(8);
      WriteOften(&object, 1000 / threads);
    }
  });
  TakeSharedLines(objects, &outcome);
  for (auto& mine : objects) {
    for (Filled& object : mine) first.Drop(&object);
  }
  outcome.operations += first.operations;
  outcome.wrong += first.wrong;
  return outcome;
}

WorkloadOutcome RunCacheThrash(WorkloadHeap& heap,
                               const WorkloadOptions& options) {
  const unsigned rounds = std::max(1u, 4000 / options.divide);
  const unsigned threads = options.threads;
  std::vector<FilledList> objects(threads);
  std::atomic<unsigned> turn{0};
  WorkloadOutcome outcome;
  RunTogether(heap, threads, &outcome, [&](Worker& me, unsigned number) {
    auto& mine = objects[number];
    MakeInTurns(me, number, threads, &turn, &mine);
    for (unsigned round = 0; round < rounds; ++round) {
      WriteOften(&mine[round % mine.size()], 1000 / threads);
    }
  });
  TakeSharedLines(objects, &outcome);
  Worker last(heap, 99);
  for (auto& mine : objects) {
    for (Filled& object : mine) last.Drop(&object);
  }
  outcome.operations += last.operations;
  outcome.wrong += last.wrong;
  return outcome;
}

}  // namespace arenalab
