// When samples are taken, and what is requested there: the curve R(t) of
// a compiled trace, which no allocator changes.
//
// CLOCK. Cumulative allocated bytes: an allocation advances it by its size, a
// realloc by what it grows, a free not at all.
//
// SMALL. Requests that pymalloc serves: mem or obj domain, 1 to
// max_small_bytes. A block that was once larger stays the second allocator's
// when it shrinks, as in CPython >= 2.4.2.
//
// VALLEY. A local minimum of the small requested bytes with prominence of at
// least 20 % of their maximum: before it they were that much higher, and after
// it they are again, or the `finalise` mark comes (what a service holds when it
// is idle at its end counts). It is the last step at which the minimum's value
// stands. Steps after the mark are none of the program's own. Without a mark
// the trace's end is no wall: teardown would pass for a valley.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

// The running sums of the curve.
class RequestedBytes {
 public:
  RequestedBytes(std::uint32_t slots, std::size_t max_small_bytes)
      : sizes_(slots), max_small_bytes_(max_small_bytes) {}

  void Take(const Step& step) {
    Slot& slot = sizes_[step.slot];
    const Slot old = slot;
    if (step.code == OpCode::kFree) {
      slot = Slot{};
      --live_;
    } else {
      const bool fits = step.size_bytes - 1 < max_small_bytes_ &&
                        !step.foreign && step.code != OpCode::kAligned;
      const bool fresh = step.code != OpCode::kRealloc;
      // An object may be made anew over one that was set aside.
      slot.small = fits && (fresh || old.small);
      slot.live = true;
      slot.bytes = step.size_bytes;
      live_ += !old.live;
      if (fresh) {
        allocated_ += slot.bytes;
      } else if (slot.bytes > old.bytes) {
        allocated_ += slot.bytes - old.bytes;
      }
    }
    all_ += slot.bytes - old.bytes;
    small_ += (slot.small ? slot.bytes : 0) - (old.small ? old.bytes : 0);
  }

  std::uint64_t all_bytes() const { return all_; }
  std::uint64_t small_bytes() const { return small_; }
  std::uint64_t live_objects() const { return live_; }
  std::uint64_t allocated_bytes() const { return allocated_; }

 private:
  struct Slot {
    std::uint64_t bytes : 62 = 0;
    std::uint64_t small : 1 = 0;
    std::uint64_t live : 1 = 0;
  };
  std::vector<Slot> sizes_;
  std::size_t max_small_bytes_;
  std::uint64_t all_ = 0;
  std::uint64_t small_ = 0;
  std::uint64_t live_ = 0;
  std::uint64_t allocated_ = 0;
};

// Sample i is taken when steps[i] steps are done; steps ascends strictly. Every
// vector of the timeline has one element a sample.
struct Timeline {
  std::vector<std::uint64_t> steps;
  std::vector<std::uint64_t> request;  // all requests below it are done
  std::vector<std::uint64_t> allocated_bytes;
  std::vector<std::uint64_t> time_ns;
  std::vector<std::uint64_t> requested_bytes;
  std::vector<std::uint64_t> requested_small_bytes;
  std::vector<std::uint64_t> live_objects;
};

// Sample numbers.
struct Moments {
  std::size_t peak = 0;  // first time of the largest small requested bytes
  std::vector<std::size_t> valleys;
  std::size_t end = 0;
  std::vector<std::size_t> marks;  // one per mark of the trace
  std::optional<std::size_t> last_valley() const {
    if (valleys.empty()) return std::nullopt;
    return valleys.back();
  }
};

struct Samples {
  Timeline timeline;
  Moments moments;
};

// About `count` samples equally spaced on the clock, and all the moments.
Samples ChooseSamples(const CompiledTrace& trace, std::size_t max_small_bytes,
                      std::size_t count);

}  // namespace arenalab
