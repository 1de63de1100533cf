// The request streams whose placements are known from the real allocator: each
// is drawn from one linear congruential generator and logged as 64-bit words
// into an FNV-1a hash. The same streams test the clone itself
// (tests/allocators/pymalloc); here they come by way of a trace, the model and
// its placements file.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tracer/format/trace_writer.h"

namespace arenalab {

inline constexpr std::uint64_t kGoldenSlots = 20000;

// One request of a stream; `what` is alloc, realloc or free.
using GoldenSink =
    std::function<void(EventKind what, std::uint64_t slot, std::uint64_t size)>;

class GoldenDraws {
 public:
  std::uint64_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }

 private:
  std::uint64_t state_ = 1;
};

// Stream 1: 300,000 steps of random requests of 0 to 559 bytes, then a drain.
inline void GoldenStream1(const GoldenSink& sink) {
  GoldenDraws draws;
  std::vector<bool> occupied(kGoldenSlots);
  for (int i = 0; i < 300000; ++i) {
    const std::uint64_t r = draws.Next();
    const std::uint64_t slot = r % kGoldenSlots;
    const std::uint64_t size = draws.Next() % 560;
    if (!occupied[slot]) {
      sink(EventKind::kAlloc, slot, size);
      occupied[slot] = true;
    } else if ((r >> 20 & 1) != 0) {
      sink(EventKind::kRealloc, slot, size);
    } else {
      sink(EventKind::kFree, slot, 0);
      occupied[slot] = false;
    }
  }
  for (std::uint64_t slot = 0; slot < kGoldenSlots; ++slot) {
    if (occupied[slot]) sink(EventKind::kFree, slot, 0);
  }
}

// Stream 2: twelve times fill every slot, then free all but one in 2000.
inline void GoldenStream2(const GoldenSink& sink) {
  GoldenDraws draws;
  std::vector<bool> occupied(kGoldenSlots);
  for (int cycle = 0; cycle < 12; ++cycle) {
    for (std::uint64_t slot = 0; slot < kGoldenSlots; ++slot) {
      if (occupied[slot]) continue;
      sink(EventKind::kAlloc, slot, 1 + draws.Next() % 512);
      occupied[slot] = true;
    }
    for (std::uint64_t i = 0; i < kGoldenSlots; ++i) {
      const std::uint64_t slot = cycle % 2 == 0 ? i : kGoldenSlots - 1 - i;
      if (draws.Next() % 2000 == 0) continue;
      if (occupied[slot]) sink(EventKind::kFree, slot, 0);
      occupied[slot] = false;
    }
  }
  for (std::uint64_t slot = 0; slot < kGoldenSlots; ++slot) {
    if (occupied[slot]) sink(EventKind::kFree, slot, 0);
  }
}

// Writes a stream as a trace; a slot's address is the slot's own throughout.
inline void WriteGoldenTrace(
    const std::string& path,
    const std::function<void(const GoldenSink&)>& stream) {
  TraceWriter writer(path, /*exclusive=*/false);
  writer.Meta("addresses", "none");
  stream([&](EventKind what, std::uint64_t slot, std::uint64_t size) {
    Event event;
    event.kind = what;
    event.layer = Layer::kObject;
    event.size_bytes = size;
    event.address = 0x100000 + slot * 1024;
    if (what == EventKind::kRealloc) event.old_address = event.address;
    writer.Append(event);
  });
  writer.Finish(0, 0);
}

}  // namespace arenalab
