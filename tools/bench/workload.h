// The twelve workloads with threads that the field knows allocators by, written
// anew, each of fixed work: what README.md says in words, here as functions.
//
// A workload checks its content: a block is filled with bytes that only it has,
// and they are verified before it is given up; Outcome::wrong counts those that
// were not so. Sizes are drawn from a generator with a fixed seed.
//
// Workloads of MEMORY run the same requests in the same order each time; their
// figure is what is held for what lives. The others' is operations per second.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "tools/bench/heap_calls.h"

namespace arenalab {

struct WorkloadOutcome {
  std::uint64_t operations = 0;  // requests, releases included
  std::uint64_t wrong = 0;
  std::uint64_t wall_ns = 0;
  // Workloads of memory: what is asked for and lives at the moment that they
  // are about, and what is held for it then. -1: the heap does not tell.
  std::int64_t live_bytes = -1;
  std::int64_t held_bytes = -1;
  std::int64_t resident_bytes = -1;  // Anonymous, less that at the start
  // blowup only: resident after the last thread / after the first.
  double blowup = 0;
  // 64-byte lines that hold blocks of two threads; -1: not about that.
  std::int64_t shared_lines = -1;
  std::int64_t lines = -1;
};

// A heap as a workload uses it; behind a lock where that was asked for.
class WorkloadHeap {
 public:
  WorkloadHeap(const LinkedHeap& linked, bool locked)
      : linked_(linked), locked_(locked) {}

  void* Allocate(std::size_t bytes) {
    if (locked_) pthread_mutex_lock(&mutex_);
    void* block = linked_.calls->allocate(linked_.heap, bytes);
    if (locked_) pthread_mutex_unlock(&mutex_);
    return block;
  }
  void Free(void* block) {
    if (locked_) pthread_mutex_lock(&mutex_);
    linked_.calls->free(linked_.heap, block);
    if (locked_) pthread_mutex_unlock(&mutex_);
  }
  HeapSnapshot Snapshot() const {
    return linked_.calls->snapshot(linked_.heap);
  }
  bool holds_contents() const { return linked_.calls->holds_contents; }

 private:
  const LinkedHeap& linked_;
  const bool locked_;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

struct WorkloadOptions {
  unsigned threads = 1;
  // The work is divided by this: tests. Figures to quote have 1.
  unsigned divide = 1;
};

struct Workload {
  std::string_view name;
  std::string_view purpose;  // one line
  bool of_memory;            // else of throughput
  bool one_at_a_time;  // its threads never run together: any heap can serve
  WorkloadOutcome (*run)(WorkloadHeap& heap, const WorkloadOptions& options);
};

// In the order of README.md.
const std::vector<Workload>& Workloads();

// --- What workloads are made from.

// A block and what it was filled with. Plain, so that threads can hand it over.
struct Filled {
  void* block = nullptr;
  std::uint32_t bytes = 0;
  std::uint32_t mark = 0;
};

// Where workloads keep what they hold: mappings of their own, so that the
// measured heap serves the workload's requests and nothing else. All of a
// mapping is resident from the start, and counted: it is subtracted from what
// the process has resident.
std::int64_t MappedByWorkloads();
void* MapForWorkload(std::size_t bytes);
void UnmapForWorkload(void* base, std::size_t bytes);

template <typename T>
struct MappedMemory {
  using value_type = T;
  MappedMemory() = default;
  template <typename U>
  MappedMemory(const MappedMemory<U>&) {}
  T* allocate(std::size_t n) {
    return static_cast<T*>(MapForWorkload(n * sizeof(T)));
  }
  void deallocate(T* base, std::size_t n) {
    UnmapForWorkload(base, n * sizeof(T));
  }
  bool operator==(const MappedMemory&) const { return true; }
};
template <typename T>
using MappedVector = std::vector<T, MappedMemory<T>>;
using FilledList = MappedVector<Filled>;

// One thread's dealings with the heap: fills, verifies, counts.
class Worker {
 public:
  Worker(WorkloadHeap& heap, std::uint64_t seed)
      : heap_(heap), state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  Filled Make(std::size_t bytes);
  void Drop(Filled* filled);
  // xorshift64*: cheap, and the same everywhere.
  std::uint64_t Random() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d >> 32;
  }
  std::uint64_t Below(std::uint64_t bound) { return Random() % bound; }

  std::uint64_t operations = 0;
  std::uint64_t wrong = 0;

 private:
  WorkloadHeap& heap_;
  std::uint64_t state_;
};

// Runs body(worker, number) on `threads` threads that begin together; with one
// on the calling thread. Sums into `outcome` and times from begin to end.
void RunTogether(WorkloadHeap& heap, unsigned threads, WorkloadOutcome* outcome,
                 const std::function<void(Worker&, unsigned)>& body);

// Held and resident now, in `outcome`; `start_resident` from ResidentNow(),
// which leaves out what the workload itself has mapped.
void TakeHeld(const WorkloadHeap& heap, std::int64_t start_resident,
              WorkloadOutcome* outcome);
std::int64_t ResidentNow();

// Lines of 64 bytes on which blocks of two threads lie.
void TakeSharedLines(const std::vector<FilledList>& by_thread,
                     WorkloadOutcome* outcome);

// The workloads, by the file that defines them.
WorkloadOutcome RunThreadtest(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunLarson(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunXmalloc(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunCacheScratch(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunCacheThrash(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunMstress(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunBlowup(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunMessagePassing(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunAllocTest(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunPhaseShift(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunSizeDoubling(WorkloadHeap&, const WorkloadOptions&);
WorkloadOutcome RunSurvivorPerPool(WorkloadHeap&, const WorkloadOptions&);

}  // namespace arenalab
