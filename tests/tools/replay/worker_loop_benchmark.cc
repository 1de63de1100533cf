// Is the harness inside the measurement? The replay loop beside the plainest
// loop that a person would write over the same calls, on the same heap; the
// plain loop a second time in every round (the A/A arm: what noise does).
//
//   bazel run //tests/tools/replay:worker_loop_benchmark
//
// Prints the CPU time of a call and the ratio with its interval, as
// tools/replay/measure_ratio.h computes it.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "allocators/null/heap.h"
#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap.h"
#include "tools/replay/measure_ratio.h"
#include "tools/replay/worker_clock.h"
#include "tools/replay/worker_loop.h"

namespace arenalab {
namespace {

struct Call {
  std::uint32_t slot;
  std::uint32_t bytes;  // 0: free
};

constexpr std::uint32_t kSlots = 100000;

// Objects come and go at random, more than fit the second-level cache.
std::vector<Call> Calls() {
  constexpr int kCalls = 400000;
  std::mt19937 random(11);
  std::vector<bool> live(kSlots);
  std::vector<Call> calls;
  for (int i = 0; i < kCalls; ++i) {
    const auto slot = static_cast<std::uint32_t>(random() % kSlots);
    const auto bytes = static_cast<std::uint32_t>(16 + random() % 200);
    calls.push_back({slot, live[slot] ? 0 : bytes});
    live[slot] = !live[slot];
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot)
    if (live[slot]) calls.push_back({slot, 0});
  return calls;
}

// 64 made, then 64 given up: every jump of the loop can be foreseen, so what is
// left is the loop.
std::vector<Call> ForeseeableCalls() {
  std::vector<Call> calls;
  for (int i = 0; i < 200000; ++i) {
    const auto slot = static_cast<std::uint32_t>(i % 64);
    const bool frees = i / 64 % 2 == 1;
    calls.push_back({slot, frees ? 0 : 16 + slot * 3});
  }
  return calls;
}

std::vector<Op> OpsOf(const std::vector<Call>& calls) {
  std::vector<Op> ops;
  for (const Call& call : calls) {
    ops.push_back(MakeOp(call.bytes == 0 ? OpCode::kFree : OpCode::kAlloc,
                         call.slot, call.bytes));
  }
  ops.resize(ops.size() + kReadAhead);
  return ops;
}

template <class Heap>
[[gnu::noinline]] void PlainLoop(Heap& heap, void** blocks,
                                 const std::vector<Call>& calls) {
  for (const Call& call : calls) {
    if (call.bytes == 0) {
      heap.Free(blocks[call.slot]);
    } else {
      void* const block = heap.Allocate(call.bytes);
      TouchBlock<Touch::kHeader>(block, call.bytes);
      blocks[call.slot] = block;
    }
  }
}

// Nanoseconds a call, a value a round.
struct Arms {
  std::vector<double> plain;
  std::vector<double> again;
  std::vector<double> replayed;
};

// Dies of a call that failed: the loops would not have done the same work.
template <class Heap>
Arms Measure(const std::vector<Call>& calls) {
  constexpr int kRounds = 101;
  const std::vector<Op> ops = OpsOf(calls);
  std::vector<void*> registers(kSlots);
  HeapOptions options;
  const auto heap = std::make_unique<Heap>(options);
  std::uint64_t failed = 0;
  Arms arms;
  std::array<std::vector<double>*, 3> order = {&arms.plain, &arms.again,
                                               &arms.replayed};
  std::mt19937 random(7);
  for (int round = 0; round <= kRounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (std::vector<double>* arm : order) {
      const std::uint64_t start = CpuNanoseconds();
      if (arm == &arms.replayed) {
        RunTimed<Heap, Touch::kHeader>(*heap, registers.data(), ops.data(),
                                       ops.data() + calls.size(), &failed);
      } else {
        PlainLoop(*heap, registers.data(), calls);
      }
      const std::uint64_t end = CpuNanoseconds();
      // The first round is the one that meets untouched memory.
      if (round > 0) {
        arm->push_back(static_cast<double>(end - start) /
                       static_cast<double>(calls.size()));
      }
    }
  }
  if (failed != 0) {
    std::fprintf(stderr, "%llu calls failed\n",
                 static_cast<unsigned long long>(failed));
    std::exit(1);
  }
  return arms;
}

template <class Heap>
void Print(const char* heap, const char* calls_name,
           const std::vector<Call>& calls) {
  const Arms arms = Measure<Heap>(calls);
  const TimeRatio ratio = RatioOf(arms.replayed, arms.plain, 1);
  const TimeRatio again = RatioOf(arms.again, arms.plain, 1);
  std::printf(
      "%-9s %-12s %8.2f %8.2f   %5.3f [%5.3f, %5.3f]   %5.3f [%5.3f, %5.3f]\n",
      heap, calls_name, Median(arms.plain), Median(arms.replayed), ratio.median,
      ratio.low, ratio.high, again.median, again.low, again.high);
}

}  // namespace
}  // namespace arenalab

int main() {
  using namespace arenalab;
  std::printf(
      "heap      calls        plain ns replayed   ratio, 95 %%            A/A, "
      "95 %%\n");
  for (const bool foreseeable : {true, false}) {
    const std::vector<Call> calls = foreseeable ? ForeseeableCalls() : Calls();
    const char* name = foreseeable ? "foreseeable" : "random";
    Print<Heap<Cpython311>>("pymalloc", name, calls);
    Print<NullHeap>("null", name, calls);
  }
  return 0;
}
