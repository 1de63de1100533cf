// One walk that learns when each object dies, and one for each grouping.
#include "tools/replay/oracle.h"

#include <algorithm>
#include <bit>

#include "tools/replay/moments.h"
#include "tools/replay/packed_range.h"

namespace arenalab {
namespace {

constexpr std::uint8_t kImmortal = 255;
constexpr std::uint32_t kGranulesPerPage = kOraclePageBytes / kGranuleBytes;
static_assert(kOraclePageBytes % kGranuleBytes == 0);

std::uint32_t GranulesOf(std::uint64_t bytes) {
  const std::uint64_t granules = (bytes + kGranuleBytes - 1) / kGranuleBytes;
  // A block of no byte still has an address of its own.
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(granules, 1, UINT32_MAX / 4));
}

// Steps as births and deaths of objects, which are numbered by birth.
class Lives {
 public:
  explicit Lives(const CompiledTrace& trace)
      : clock_(trace.slots, SIZE_MAX), granules_(trace.slots) {}

  // birth(slot, granules) and death(slot) are called with clock() advanced; a
  // slot that is born while it is live dies right after.
  template <class Birth, class Death>
  void Take(const Step& step, Birth birth, Death death) {
    clock_.Take(step);
    std::uint32_t& live = granules_[step.slot];
    const std::uint32_t granules =
        step.code == OpCode::kFree ? 0 : GranulesOf(step.size_bytes);
    if (step.code == OpCode::kRealloc && granules == live) return;
    const bool dies = live != 0;
    live = granules;
    if (granules != 0) {
      birth(step.slot, granules, dies);
    } else if (dies) {
      death(step.slot);
    }
  }

  std::uint64_t clock() const { return clock_.allocated_bytes(); }

 private:
  RequestedBytes clock_;
  std::vector<std::uint32_t> granules_;  // by slot; 0: not live
};

// By object number.
struct Fates {
  std::vector<std::uint8_t> lifetime;
  std::vector<std::uint8_t> death;
};

Fates FatesOf(const CompiledTrace& trace) {
  Lives lives(trace);
  // Births by number first, as the last clock is not known yet.
  struct Born {
    std::uint64_t at;
    std::uint64_t number;
  };
  std::vector<Born> slots(trace.slots);
  Fates fates;
  // First the total, so that deaths fall into equal parts of it.
  std::uint64_t total = 0;
  {
    RequestedBytes clock(trace.slots, SIZE_MAX);
    StepCursor cursor(trace);
    for (Step step; cursor.Next(&step);) clock.Take(step);
    total = std::max<std::uint64_t>(clock.allocated_bytes(), 1);
  }
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    const auto dies = [&](std::uint32_t slot) {
      const Born& born = slots[slot];
      fates.lifetime[born.number] = static_cast<std::uint8_t>(
          std::bit_width((lives.clock() - born.at) | 1) - 1);
      fates.death[born.number] = static_cast<std::uint8_t>(
          static_cast<unsigned __int128>(lives.clock()) * (kImmortal - 1) /
          total);
    };
    lives.Take(
        step,
        [&](std::uint32_t slot, std::uint32_t, bool replaces) {
          if (replaces) dies(slot);
          slots[slot] = {lives.clock(), fates.lifetime.size()};
          fates.lifetime.push_back(kImmortal);
          fates.death.push_back(kImmortal);
        },
        dies);
  }
  return fates;
}

// The heap: a range for each group, and which of their pages are in use.
class GroupedHeap {
 public:
  explicit GroupedHeap(std::uint32_t slots) : blocks_(slots) {}

  void Make(std::uint32_t slot, std::uint32_t granules, std::size_t group) {
    if (group >= groups_.size()) groups_.resize(group + 1);
    Group& range = groups_[group];
    extent_ -= range.range.end();
    const Block block{range.range.Take(granules), granules,
                      static_cast<std::uint32_t>(group)};
    extent_ += range.range.end();
    const std::uint32_t last = (block.at + granules - 1) / kGranulesPerPage;
    if (last >= range.blocks_in_page.size())
      range.blocks_in_page.resize(std::size_t{last} + 1);
    for (std::uint32_t page = block.at / kGranulesPerPage; page <= last; ++page)
      pages_ += range.blocks_in_page[page]++ == 0;
    blocks_[slot] = block;
  }

  // What lay in the slot before Make() when it is still there.
  struct Block {
    std::uint32_t at;
    std::uint32_t granules;
    std::uint32_t group;
  };
  Block at(std::uint32_t slot) const { return blocks_[slot]; }

  void GiveUp(const Block& block) {
    Group& range = groups_[block.group];
    const std::uint32_t last =
        (block.at + block.granules - 1) / kGranulesPerPage;
    for (std::uint32_t page = block.at / kGranulesPerPage; page <= last; ++page)
      pages_ -= --range.blocks_in_page[page] == 0;
    extent_ -= range.range.end();
    range.range.GiveBack(block.at, block.granules);
    extent_ += range.range.end();
  }

  std::uint64_t extent_bytes() const { return extent_ * kGranuleBytes; }
  std::uint64_t page_bytes() const { return pages_ * kOraclePageBytes; }

 private:
  struct Group {
    PackedRange range;
    std::vector<std::uint32_t> blocks_in_page;
  };
  std::vector<Group> groups_;
  std::vector<Block> blocks_;  // by slot
  std::uint64_t extent_ = 0;   // granules
  std::uint64_t pages_ = 0;
};

// group_of(object number, granules).
template <class GroupOf>
OracleCurve Pack(const CompiledTrace& trace,
                 const std::vector<std::uint64_t>& sample_steps,
                 GroupOf group_of) {
  Lives lives(trace);
  GroupedHeap heap(trace.slots);
  std::uint64_t born = 0;
  OracleCurve curve;
  StepCursor cursor(trace);
  Step step;
  for (const std::uint64_t until : sample_steps) {
    while (cursor.steps() < until && cursor.Next(&step)) {
      lives.Take(
          step,
          [&](std::uint32_t slot, std::uint32_t granules, bool replaces) {
            const GroupedHeap::Block old = heap.at(slot);
            heap.Make(slot, granules, group_of(born++, granules));
            if (replaces) heap.GiveUp(old);
          },
          [&](std::uint32_t slot) { heap.GiveUp(heap.at(slot)); });
    }
    curve.extent_bytes.push_back(heap.extent_bytes());
    curve.page_bytes.push_back(heap.page_bytes());
  }
  return curve;
}

std::size_t SizeGroup(std::uint32_t granules) {
  constexpr std::uint32_t kSmall = 512 / kGranuleBytes;
  if (granules <= kSmall) return granules;
  return kSmall + static_cast<std::size_t>(std::bit_width(granules));
}

}  // namespace

Oracle PackWithForesight(const CompiledTrace& trace,
                         const std::vector<std::uint64_t>& sample_steps) {
  const Fates fates = FatesOf(trace);
  return {.by_lifetime = Pack(trace, sample_steps,
                              [&](std::uint64_t number, std::uint32_t) {
                                return std::size_t{fates.lifetime[number]};
                              }),
          .by_death = Pack(trace, sample_steps,
                           [&](std::uint64_t number, std::uint32_t) {
                             return std::size_t{fates.death[number]};
                           }),
          .by_size = Pack(trace, sample_steps,
                          [](std::uint64_t, std::uint32_t granules) {
                            return SizeGroup(granules);
                          })};
}

}  // namespace arenalab
