// Lifetimes come from one walk over the steps, forwards.
#include "tools/replay/hints.h"

#include <bit>

namespace arenalab {
namespace {

std::uint8_t FloorLog2(std::uint64_t n) {
  return static_cast<std::uint8_t>(n < 2 ? 0 : std::bit_width(n) - 1);
}

std::vector<std::uint8_t> LifetimesOf(const CompiledTrace& trace) {
  struct Birth {
    std::uint64_t step = 0;
    std::uint64_t clock = 0;
  };
  std::vector<Birth> births(trace.slots);
  std::vector<std::uint8_t> lifetimes(trace.steps, kImmortalLog2);
  std::uint64_t clock = 0;
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    Birth& birth = births[step.slot];
    if (step.code != OpCode::kFree) clock += step.size_bytes;
    if (step.code == OpCode::kFree || step.code == OpCode::kRealloc)
      lifetimes[birth.step] = FloorLog2(clock - birth.clock);
    if (step.code != OpCode::kFree) birth = {cursor.steps() - 1, clock};
  }
  return lifetimes;
}

}  // namespace

const char* MissingForLanes(const CompiledTrace& trace, LaneChoice lanes) {
  if (lanes == LaneChoice::kType && trace.types.empty())
    return "lanes:type: the trace was recorded without types; record --types "
           "tells them";
  if (lanes == LaneChoice::kSite && trace.sites.empty())
    return "lanes:site: the trace was recorded without call sites; record "
           "--callsites tells them";
  return nullptr;
}

HintCursor::HintCursor(const CompiledTrace& trace, bool with_lifetimes)
    : trace_(trace) {
  if (with_lifetimes) lifetimes_ = LifetimesOf(trace);
}

RequestHint HintCursor::Next() {
  if (next_origin_ < trace_.origins.size() &&
      trace_.origins[next_origin_].step == step_) {
    hint_.thread = trace_.origins[next_origin_].thread;
    hint_.state = trace_.origins[next_origin_].state;
    ++next_origin_;
  }
  hint_.domain = trace_.in_object_domain[step_] ? 2 : 1;
  if (!trace_.types.empty()) hint_.type = trace_.types[step_];
  if (!trace_.sites.empty()) hint_.site = trace_.sites[step_];
  if (!lifetimes_.empty()) hint_.lifetime_log2 = lifetimes_[step_];
  ++step_;
  return hint_;
}

}  // namespace arenalab
