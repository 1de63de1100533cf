// Three walks over the steps: totals, then where to sample, then the values.
#include "tools/replay/moments.h"

#include <algorithm>

#include "tracer/event.h"

namespace arenalab {
namespace {

// More valleys than this are a sawtooth; the deepest say it all.
constexpr std::size_t kMostValleys = 64;

struct Totals {
  std::uint64_t allocated_bytes = 0;
  std::uint64_t peak_small_bytes = 0;
  std::uint64_t peak_step = 0;
};

Totals Sum(const CompiledTrace& trace, std::size_t max_small_bytes) {
  Totals totals;
  RequestedBytes requested(trace.slots, max_small_bytes);
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    requested.Take(step);
    if (requested.small_bytes() > totals.peak_small_bytes &&
        cursor.steps() > trace.litter_steps) {
      totals.peak_small_bytes = requested.small_bytes();
      totals.peak_step = cursor.steps();
    }
  }
  totals.allocated_bytes = requested.allocated_bytes();
  return totals;
}

// Follows a curve and notes its minima between falls and rises of at least
// `swing`.
class ValleyFinder {
 public:
  struct Valley {
    std::uint64_t step;
    std::uint64_t bytes;
  };

  explicit ValleyFinder(std::uint64_t swing)
      : swing_(std::max<std::uint64_t>(swing, 1)) {}

  void Take(std::uint64_t step, std::uint64_t bytes) {
    if (!falling_) {
      highest_ = std::max(highest_, bytes);
      if (highest_ - bytes < swing_) return;
      falling_ = true;
      lowest_ = {step, bytes};
    } else if (bytes <= lowest_.bytes) {
      lowest_ = {step, bytes};
    } else if (bytes - lowest_.bytes >= swing_) {
      Found();
      highest_ = bytes;
    }
  }

  // The wall: a minimum reached by a fall counts without a rise.
  void Wall() {
    if (falling_) Found();
  }

  std::vector<Valley> Deepest() && {
    if (found_.size() <= kMostValleys) return std::move(found_);
    const Valley last = found_.back();
    found_.pop_back();
    std::stable_sort(
        found_.begin(), found_.end(),
        [](const Valley& a, const Valley& b) { return a.bytes < b.bytes; });
    found_.resize(kMostValleys - 1);
    found_.push_back(last);
    std::sort(found_.begin(), found_.end(),
              [](const Valley& a, const Valley& b) { return a.step < b.step; });
    return std::move(found_);
  }

 private:
  void Found() {
    found_.push_back(lowest_);
    falling_ = false;
    highest_ = 0;
  }

  std::uint64_t swing_;
  bool falling_ = false;
  std::uint64_t highest_ = 0;
  Valley lowest_{};
  std::vector<Valley> found_;
};

// Where the program's own work ends, in steps.
std::optional<std::uint64_t> FinaliseStep(const CompiledTrace& trace) {
  for (const CompiledMark& mark : trace.marks) {
    if (mark.name == kFinaliseMark) return mark.step;
  }
  return std::nullopt;
}

std::size_t IndexOf(const std::vector<std::uint64_t>& steps,
                    std::uint64_t step) {
  return static_cast<std::size_t>(
      std::lower_bound(steps.begin(), steps.end(), step) - steps.begin());
}

Timeline ValuesAt(const CompiledTrace& trace, std::size_t max_small_bytes,
                  std::vector<std::uint64_t> steps) {
  Timeline timeline;
  timeline.steps = std::move(steps);
  RequestedBytes requested(trace.slots, max_small_bytes);
  StepCursor cursor(trace);
  Step step;
  for (const std::uint64_t until : timeline.steps) {
    while (cursor.steps() < until && cursor.Next(&step)) requested.Take(step);
    timeline.request.push_back(cursor.request());
    timeline.allocated_bytes.push_back(requested.allocated_bytes());
    timeline.time_ns.push_back(cursor.time_ns());
    timeline.requested_bytes.push_back(requested.all_bytes());
    timeline.requested_small_bytes.push_back(requested.small_bytes());
    timeline.live_objects.push_back(requested.live_objects());
  }
  return timeline;
}

}  // namespace

Samples ChooseSamples(const CompiledTrace& trace, std::size_t max_small_bytes,
                      std::size_t count) {
  const Totals totals = Sum(trace, max_small_bytes);
  const std::optional<std::uint64_t> finalise = FinaliseStep(trace);

  std::vector<std::uint64_t> steps = {0, totals.peak_step, trace.steps};
  ValleyFinder finder((totals.peak_small_bytes + 4) / 5);
  RequestedBytes requested(trace.slots, max_small_bytes);
  StepCursor cursor(trace);
  std::size_t next = 1;  // the next of `count` equal parts of the clock
  for (Step step; cursor.Next(&step);) {
    requested.Take(step);
    if (cursor.steps() > trace.litter_steps &&
        cursor.steps() <= finalise.value_or(trace.steps)) {
      finder.Take(cursor.steps(), requested.small_bytes());
    }
    // 128 bits: count times a day's allocations overflows 64.
    while (next < count &&
           static_cast<unsigned __int128>(requested.allocated_bytes()) *
                   count >=
               static_cast<unsigned __int128>(totals.allocated_bytes) * next) {
      steps.push_back(cursor.steps());
      ++next;
    }
  }
  if (finalise.has_value()) finder.Wall();
  const std::vector<ValleyFinder::Valley> valleys = std::move(finder).Deepest();
  for (const auto& valley : valleys) steps.push_back(valley.step);
  for (const CompiledMark& mark : trace.marks) steps.push_back(mark.step);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());

  Samples samples;
  samples.timeline = ValuesAt(trace, max_small_bytes, std::move(steps));
  const std::vector<std::uint64_t>& at = samples.timeline.steps;
  samples.moments.peak = IndexOf(at, totals.peak_step);
  samples.moments.end = at.size() - 1;
  for (const auto& valley : valleys)
    samples.moments.valleys.push_back(IndexOf(at, valley.step));
  for (const CompiledMark& mark : trace.marks)
    samples.moments.marks.push_back(IndexOf(at, mark.step));
  return samples;
}

}  // namespace arenalab
