// The loop of a latency run: some requests, chosen at random, are timed one by
// one with the processor's time-stamp counter. A replay of its own: what is
// timed here would be in the way of whole-replay times, and the fences around
// it keep the processor from working ahead.
//
// The heap's call alone is timed, with all that it does: an arena that is
// mapped, pages that are purged. Touching comes after.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tools/replay/latency_histogram.h"
#include "tools/replay/worker_loop.h"
#include "tools/replay/worker_protocol.h"
#include "tools/replay/worker_tracked.h"

namespace arenalab {

inline std::uint64_t ReadTicks() {
  __builtin_ia32_lfence();
  const std::uint64_t ticks = __builtin_ia32_rdtsc();
  __builtin_ia32_lfence();
  return ticks;
}

// What reading the counter twice costs: the least of many.
inline std::uint64_t TicksOfNothing() {
  std::uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t start = ReadTicks();
    const std::uint64_t ticks = ReadTicks() - start;
    if (ticks < least) least = ticks;
  }
  return least;
}

template <typename Heap>
class LatencyReplay {
 public:
  LatencyReplay(Heap& heap, void** registers, ReplayReport* report)
      : heap_(heap), registers_(registers), report_(report) {
    DrawGap();
  }

  void Run(const Segment& segment) {
    for (const Op* next = segment.begin; next < segment.end;) {
      const Op op = *next++;
      if (CodeOf(op) == OpCode::kClock) {
        AdvanceTrace(SizeOf(op));
      } else if (CodeOf(op) <= OpCode::kFree) {
        Request(op, &next);
        ++report_->events;
      }
    }
  }

 private:
  // 1 to 2 x one_in - 1, so one_in on average: no beat with the program's.
  void DrawGap() {
    draw_ = draw_ * 6364136223846793005u + 1442695040888963407u;
    gap_ = 1 + static_cast<std::uint32_t>(draw_ >> 33) %
                   (2 * report_->in.one_in - 1);
  }

  template <typename Call>
  void* Timed(OpCode code, Call call) {
    if (--gap_ != 0) return call();
    DrawGap();
    const std::uint64_t start = ReadTicks();
    void* const result = call();
    const std::uint64_t ticks = ReadTicks() - start;
    LatencyHistogram& latency =
        report_->latency[static_cast<std::size_t>(code)];
    ++latency.counts[LatencyBucket(ticks)];
    if (ticks > latency.most_ticks) latency.most_ticks = ticks;
    return result;
  }

  void Request(Op op, const Op** next) {
    void** const reg = &registers_[op.slot];
    const OpCode code = CodeOf(op);
    if (code == OpCode::kFree) {
      void* const block = *reg;
      Timed(code, [&]() -> void* {
        heap_.Free(block);
        return nullptr;
      });
      *reg = nullptr;
      return;
    }
    const std::size_t bytes = TakeSize(op, next);
    const std::size_t align =
        code == OpCode::kAligned ? std::size_t{1} << ((*next)++)->slot : 0;
    void* const block = Timed(code, [&]() -> void* {
      switch (code) {
        case OpCode::kZeroed:
          return heap_.AllocateZeroed(1, bytes);
        case OpCode::kAligned:
          return heap_.AllocateAligned(align, bytes);
        case OpCode::kRealloc:
          return heap_.Reallocate(*reg, bytes);
        default:
          return heap_.Allocate(bytes);
      }
    });
    if (block == nullptr) {
      ++report_->failed;
      if (code != OpCode::kRealloc) *reg = nullptr;
      return;
    }
    *reg = block;
    TouchAs(report_->in.touch, block, bytes);
  }

  Heap& heap_;
  void** registers_;
  ReplayReport* report_;
  std::uint64_t draw_ = 1;
  std::uint32_t gap_ = 1;
};

}  // namespace arenalab
