// Is the harness inside the measurement? The replay loop beside the plainest
// loop that a person would write over the same calls, on the same heap, in
// turns; the least CPU time of many short turns, as what else runs only adds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "allocators/null/heap.h"
#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap.h"
#include "tools/replay/worker_clock.h"
#include "tools/replay/worker_loop.h"

namespace arenalab {
namespace {

struct Call {
  std::uint32_t slot;
  std::uint32_t bytes;  // 0: free
};

// Objects come and go at random, more than fit the second-level cache.
std::vector<Call> Calls() {
  constexpr std::uint32_t kSlots = 100000;
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

// Where nothing is mispredicted and all is in the first-level cache, a call is
// so short that what the loop does more, looking ahead and noting failures,
// shows; that much of it, in nanoseconds.
constexpr double kMostNs = 0.5;

struct Least {
  double replayed;  // ns a call
  double plain;
};

template <class Heap>
Least Measure(const std::vector<Call>& calls) {
  const std::vector<Op> ops = OpsOf(calls);
  std::vector<void*> registers(100000);
  HeapOptions options;
  const auto heap = std::make_unique<Heap>(options);
  std::uint64_t failed = 0;
  Least least{1e9, 1e9};
  for (int turn = 0; turn < 40; ++turn) {
    const std::uint64_t start = CpuNanoseconds();
    RunTimed<Heap, Touch::kHeader>(*heap, registers.data(), ops.data(),
                                   ops.data() + calls.size(), &failed);
    const std::uint64_t middle = CpuNanoseconds();
    PlainLoop(*heap, registers.data(), calls);
    const std::uint64_t end = CpuNanoseconds();
    const auto count = static_cast<double>(calls.size());
    least.replayed =
        std::min(least.replayed, static_cast<double>(middle - start) / count);
    least.plain =
        std::min(least.plain, static_cast<double>(end - middle) / count);
  }
  EXPECT_EQ(failed, 0u);
  return least;
}

TEST(ReplayLoop, CostsNoMoreThanAPlainLoopOverTheSameCalls) {
  for (const bool foreseeable : {false, true}) {
    const std::vector<Call> calls = foreseeable ? ForeseeableCalls() : Calls();
    const Least pymalloc = Measure<Heap<Cpython311>>(calls);
    const Least null = Measure<NullHeap>(calls);
    std::printf(
        "%s calls: pymalloc replayed %.2f ns a call, in a plain loop %.2f: "
        "%.3f; null replayed %.2f, plain %.2f\n",
        foreseeable ? "foreseeable" : "random", pymalloc.replayed,
        pymalloc.plain, pymalloc.replayed / pymalloc.plain, null.replayed,
        null.plain);
    EXPECT_LE(pymalloc.replayed,
              foreseeable ? pymalloc.plain + kMostNs : 1.05 * pymalloc.plain);
  }
}

}  // namespace
}  // namespace arenalab
