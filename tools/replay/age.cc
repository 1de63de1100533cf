// Drawing the litter and putting it before the trace; contract in age.h.
#include "tools/replay/age.h"

#include <algorithm>
#include <bit>
#include <random>
#include <utility>

namespace arenalab {
namespace {

// Sizes that the litter is drawn from: of as many allocations at most, each
// allocation of the trace being as likely to be among them.
constexpr std::size_t kReservoir = 65536;

std::vector<std::uint64_t> SizesOf(const CompiledTrace& trace,
                                   std::mt19937_64* random) {
  std::vector<std::uint64_t> sizes;
  std::uint64_t seen = 0;
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    if (step.foreign ||
        (step.code != OpCode::kAlloc && step.code != OpCode::kZeroed)) {
      continue;
    }
    ++seen;
    if (sizes.size() < kReservoir) {
      sizes.push_back(step.size_bytes);
    } else if (const std::uint64_t at = (*random)() % seen; at < kReservoir) {
      sizes[at] = step.size_bytes;
    }
  }
  return sizes;
}

void AppendAlloc(OpFile* ops, std::uint32_t slot, std::uint64_t bytes) {
  const bool wide = bytes >= kWideSize;
  ops->Append(MakeOp(OpCode::kAlloc, slot,
                     wide ? kWideSize : static_cast<std::uint32_t>(bytes)));
  if (wide) ops->Append(std::bit_cast<Op>(bytes));
}

}  // namespace

CompiledTrace Aged(CompiledTrace trace, const Litter& litter) {
  std::mt19937_64 random(litter.seed);
  const std::vector<std::uint64_t> sizes = SizesOf(trace, &random);
  const auto blocks = static_cast<std::uint32_t>(
      litter.multiplier * static_cast<double>(trace.slots));
  if (sizes.empty() || blocks == 0) return trace;
  OpFile ops;
  std::vector<std::uint32_t> freed;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    AppendAlloc(&ops, trace.slots + i, sizes[random() % sizes.size()]);
    freed.push_back(trace.slots + i);
  }
  std::ranges::shuffle(freed, random);
  freed.resize(blocks - static_cast<std::uint32_t>(
                            litter.occupancy * static_cast<double>(blocks)));
  for (const std::uint32_t slot : freed)
    ops.Append(MakeOp(OpCode::kFree, slot, 0));
  for (const Op op : trace.ops.ops()) ops.Append(op);
  ops.Seal();
  trace.ops = std::move(ops);

  const std::uint64_t steps = blocks + freed.size();
  trace.notes.insert(trace.notes.begin(), steps, 0);
  trace.in_object_domain.insert(trace.in_object_domain.begin(), steps, true);
  if (!trace.types.empty()) trace.types.insert(trace.types.begin(), steps, 0);
  if (!trace.sites.empty()) trace.sites.insert(trace.sites.begin(), steps, 0);
  for (Origin& origin : trace.origins) origin.step += steps;
  if (!trace.origins.empty()) {
    Origin first = trace.origins.front();
    first.step = 0;
    trace.origins.insert(trace.origins.begin(), first);
  }
  for (CompiledMark& mark : trace.marks) mark.step += steps;
  trace.slots += blocks;
  trace.steps += steps;
  trace.inherited_steps += steps;
  trace.litter_steps = steps;
  return trace;
}

}  // namespace arenalab
