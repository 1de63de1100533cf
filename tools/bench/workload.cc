// The list of workloads, and what they are made from; contract in workload.h.
#include "tools/bench/workload.h"

#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "tools/replay/worker_rss.h"
#include "tools/threads/live_blocks.h"

namespace arenalab {
namespace {

// Eight bytes that another block is unlikely to be filled with.
std::uint64_t ContentOf(const Filled& filled) {
  return (std::uint64_t{filled.mark} << 32 | filled.bytes) * 0x9e3779b97f4a7c15;
}

std::atomic<std::int64_t> mapped_bytes{0};

std::int64_t RoundedToPages(std::size_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  return static_cast<std::int64_t>((bytes + kPageBytes - 1) / kPageBytes *
                                   kPageBytes);
}

}  // namespace

const std::vector<Workload>& Workloads() {
  static const std::vector<Workload> workloads{
      {"threadtest", "each thread allocates its share of 8-byte objects, frees",
       false, false, RunThreadtest},
      {"larson", "random slots replaced; threads end, others inherit", false,
       false, RunLarson},
      {"xmalloc", "producers allocate batches, consumers free them", false,
       false, RunXmalloc},
      {"cache-scratch", "objects handed out side by side, then written", false,
       false, RunCacheScratch},
      {"cache-thrash", "small objects allocated by all threads, then written",
       false, false, RunCacheThrash},
      {"mstress", "mixed sizes, some kept, exchanged through a shared table",
       false, false, RunMstress},
      {"blowup", "a thread churns, frees all, and the next one starts", true,
       true, RunBlowup},
      {"message-passing", "producers, proxies, consumers; batched remote frees",
       false, false, RunMessagePassing},
      {"alloc-test", "slots by a Pareto law: occupied freed, empty filled",
       false, false, RunAllocTest},
      {"phase-shift", "six phases, sizes of their own, 4 % of each survives",
       true, true, RunPhaseShift},
      {"size-doubling", "half of the objects go, the next are twice as large",
       true, true, RunSizeDoubling},
      {"survivor-per-pool", "one object in each 16 KiB stays", true, true,
       RunSurvivorPerPool},
  };
  return workloads;
}

Filled Worker::Make(std::size_t bytes) {
  Filled filled{heap_.Allocate(bytes), static_cast<std::uint32_t>(bytes),
                static_cast<std::uint32_t>(Random())};
  ++operations;
  if (filled.block == nullptr) {
    ++wrong;
    return filled;
  }
  const std::uint64_t content = ContentOf(filled);
  auto* p = static_cast<unsigned char*>(filled.block);
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) std::memcpy(p + i, &content, 8);
  std::memcpy(p + i, &content, bytes - i);
  return filled;
}

void Worker::Drop(Filled* filled) {
  if (filled->block == nullptr) return;
  const std::uint64_t content = ContentOf(*filled);
  const auto* p = static_cast<const unsigned char*>(filled->block);
  bool same = true;
  std::size_t i = 0;
  for (; i + 8 <= filled->bytes; i += 8) {
    same &= std::memcmp(p + i, &content, 8) == 0;
  }
  same &= std::memcmp(p + i, &content, filled->bytes - i) == 0;
  wrong += !same && heap_.holds_contents();
  heap_.Free(filled->block);
  filled->block = nullptr;
  ++operations;
}

void RunTogether(WorkloadHeap& heap, unsigned threads, WorkloadOutcome* outcome,
                 const std::function<void(Worker&, unsigned)>& body) {
  std::vector<Worker> workers;
  for (unsigned i = 0; i < threads; ++i) workers.emplace_back(heap, i + 1);
  std::vector<std::thread> others;
  std::atomic<unsigned> arrived{0};
  const auto run = [&](unsigned number) {
    arrived.fetch_add(1);
    while (arrived.load() < threads) std::this_thread::yield();
    body(workers[number], number);
  };
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(run, i);
  while (arrived.load() < threads - 1) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  run(0);
  for (std::thread& other : others) other.join();
  outcome->wall_ns += static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - start)
          .count());
  for (const Worker& worker : workers) {
    outcome->operations += worker.operations;
    outcome->wrong += worker.wrong;
  }
}

std::int64_t ResidentNow() {
  return ReadResident().anonymous_bytes - MappedByWorkloads();
}

std::int64_t MappedByWorkloads() { return mapped_bytes.load(); }

void* MapForWorkload(std::size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  mapped_bytes += RoundedToPages(bytes);
  return base;
}

void UnmapForWorkload(void* base, std::size_t bytes) {
  munmap(base, bytes);
  mapped_bytes -= RoundedToPages(bytes);
}

void TakeHeld(const WorkloadHeap& heap, std::int64_t start_resident,
              WorkloadOutcome* outcome) {
  outcome->held_bytes = heap.Snapshot().held_bytes;
  outcome->resident_bytes = ResidentNow() - start_resident;
}

void TakeSharedLines(const std::vector<FilledList>& by_thread,
                     WorkloadOutcome* outcome) {
  MappedVector<LiveBlock> blocks;
  for (std::size_t thread = 0; thread < by_thread.size(); ++thread) {
    for (const Filled& filled : by_thread[thread]) {
      blocks.push_back({reinterpret_cast<std::uint64_t>(filled.block),
                        filled.bytes == 0 ? 1u : filled.bytes, thread});
    }
  }
  const LiveLines lines = CountLines(blocks.data(), blocks.size());
  outcome->lines = static_cast<std::int64_t>(lines.lines);
  outcome->shared_lines = static_cast<std::int64_t>(lines.shared_lines);
}

}  // namespace arenalab
