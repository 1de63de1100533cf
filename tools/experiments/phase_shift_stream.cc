// A compiled trace, written op by op; contract in phase_shift_stream.h.
#include "tools/experiments/phase_shift_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tools/experiments/op_stream.h"
#include "tracer/event.h"

namespace arenalab {
namespace {

// One block in so many stays: 4 %.
constexpr std::uint32_t kSurvivesOf = 25;
constexpr std::uint32_t kWakingPairs = 20000;
constexpr std::uint32_t kWakingBytes = 32;
// Beyond what thread caches keep: an allocator that gives back by the clock
// looks at it in such calls.
constexpr std::uint32_t kWakingLargeBytes = 40000;

class Builder {
 public:
  Builder() { trace_.origins.push_back({0, 0, 0}); }

  std::uint32_t Allocate(std::uint32_t bytes) {
    std::uint32_t slot = trace_.slots;
    if (free_.empty()) {
      ++trace_.slots;
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Append(OpCode::kAlloc, slot, bytes);
    return slot;
  }
  void Free(std::uint32_t slot) {
    Append(OpCode::kFree, slot, 0);
    free_.push_back(slot);
  }
  void Idle(std::uint32_t milliseconds) {
    if (milliseconds == 0) return;
    trace_.ops.Append(MakeOp(OpCode::kClock, 0, milliseconds));
    trace_.duration_ns += std::uint64_t{milliseconds} * 1'000'000;
  }
  CompiledTrace Finish() {
    trace_.ops.Append(MakeOp(OpCode::kEnd, 0, 0));
    trace_.ops.Seal();
    trace_.marks.push_back({std::string(kFinaliseMark), trace_.steps});
    trace_.requests = trace_.steps;
    trace_.threads = trace_.states = 1;
    return std::move(trace_);
  }

 private:
  void Append(OpCode code, std::uint32_t slot, std::uint32_t bytes) {
    trace_.ops.Append(MakeOp(code, slot, bytes));
    trace_.notes.push_back(0);
    trace_.in_object_domain.push_back(true);
    ++trace_.steps;
  }

  CompiledTrace trace_;
  std::vector<std::uint32_t> free_;
};

}  // namespace

CompiledTrace PhaseShiftTrace(const PhaseShift& shape, std::uint32_t idle_ms,
                              std::uint32_t divisor) {
  Builder builder;
  Draws draws;
  const std::uint64_t startup =
      shape.startup_bytes / shape.startup_block_bytes / divisor;
  for (std::uint64_t i = 0; i < startup; ++i)
    builder.Allocate(shape.startup_block_bytes);
  std::vector<std::uint32_t> slots;
  for (const Phase& phase : shape.phases) {
    slots.clear();
    const std::uint64_t count = phase.bytes / phase.block_bytes / divisor;
    for (std::uint64_t i = 0; i < count; ++i)
      slots.push_back(builder.Allocate(phase.block_bytes));
    for (const std::uint32_t slot : slots)
      if (draws.Next() % kSurvivesOf != 0) builder.Free(slot);
    builder.Idle(idle_ms);
    for (std::uint32_t i = 0; i < kWakingPairs; ++i)
      builder.Free(
          builder.Allocate(i % 4 == 0 ? kWakingLargeBytes : kWakingBytes));
  }
  return builder.Finish();
}

CompiledTrace ReplacementTrace(std::uint32_t live, std::uint32_t rounds) {
  Builder builder;
  Draws draws;
  std::vector<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < live; ++i)
    slots.push_back(builder.Allocate(16 + draws.Next() % 1009));
  for (std::uint32_t i = 0; i < rounds; ++i) {
    std::uint32_t& slot = slots[draws.Next() % live];
    builder.Free(slot);
    slot = builder.Allocate(16 + draws.Next() % 1009);
  }
  return builder.Finish();
}

}  // namespace arenalab
