// Lowest place first; contract in packed_range.h.
#include "tools/replay/packed_range.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace arenalab {

std::uint32_t PackedRange::ClassOf(std::uint32_t granules) {
  if (granules < kExactGranules) return granules;
  return kExactGranules +
         static_cast<std::uint32_t>(std::bit_width(granules) -
                                    std::bit_width(kExactGranules));
}

std::uint32_t PackedRange::Take(std::uint32_t granules) {
  std::uint32_t size_class = 0;
  const std::uint32_t at = LowestGap(granules, &size_class);
  if (at == kNone) {
    const std::uint32_t tail = end_;
    end_ += granules;
    // One more: whoever gives back the last block looks behind it.
    if (gap_at_.size() <= end_) {
      gap_at_.resize(std::size_t{end_} + 1);
      gap_until_.resize(std::size_t{end_} + 1);
    }
    return tail;
  }
  DropLowest(size_class);
  const std::uint32_t gap = gap_at_[at];
  RemoveGap(at);
  if (gap > granules) AddGap(at + granules, gap - granules);
  return at;
}

void PackedRange::GiveBack(std::uint32_t at, std::uint32_t granules) {
  std::uint32_t begin = at;
  std::uint32_t end = at + granules;
  if (begin > 0 && gap_until_[begin - 1] != 0) {
    begin -= gap_until_[begin - 1];
    RemoveGap(begin);
  }
  if (gap_at_[end] != 0) {
    const std::uint32_t next = end;
    end += gap_at_[next];
    RemoveGap(next);
  }
  if (end == end_) {
    end_ = begin;
  } else {
    AddGap(begin, end - begin);
  }
}

std::uint32_t PackedRange::LowestGap(std::uint32_t granules,
                                     std::uint32_t* size_class) {
  const std::uint32_t own = ClassOf(granules);
  for (;;) {
    std::uint32_t best = kNone;
    for (std::uint32_t c = own; c < kClasses; ++c) {
      if (lowest_[c] >= best) continue;
      const std::uint32_t gap = gap_at_[lowest_[c]];
      // An entry that is out of date is looked at below, and dropped.
      if (c == own && gap < granules && gap != 0 && ClassOf(gap) == c) continue;
      best = lowest_[c];
      *size_class = c;
    }
    if (best == kNone) return kNone;
    const std::uint32_t gap = gap_at_[best];
    if (gap != 0 && ClassOf(gap) == *size_class) return best;
    DropLowest(*size_class);
  }
}

void PackedRange::AddGap(std::uint32_t at, std::uint32_t granules) {
  gap_at_[at] = granules;
  gap_until_[at + granules - 1] = granules;
  const std::uint32_t size_class = ClassOf(granules);
  std::vector<std::uint32_t>& heap = gaps_[size_class];
  heap.push_back(at);
  std::push_heap(heap.begin(), heap.end(), std::greater<>());
  lowest_[size_class] = heap.front();
}

void PackedRange::RemoveGap(std::uint32_t at) {
  gap_until_[at + gap_at_[at] - 1] = 0;
  gap_at_[at] = 0;
}

void PackedRange::DropLowest(std::uint32_t size_class) {
  std::vector<std::uint32_t>& heap = gaps_[size_class];
  std::pop_heap(heap.begin(), heap.end(), std::greater<>());
  heap.pop_back();
  lowest_[size_class] = heap.empty() ? kNone : heap.front();
}

}  // namespace arenalab
