// The objects of RESULTS.md, OBJECTS: every small block that was live at a
// sample, with what is known of it: where it lay, from which sample to which,
// its size, its thread, its type and call site where they were recorded.
//
// A block that comes and goes between two samples is live at none and costs
// nothing here. A block that is resized in place is one object; its size is the
// last one.
//
// BUDGET. At most about `most` objects are kept. Beyond that every second,
// fourth, ... sample is dropped from told(), the moments never: an object stays
// that lives at a sample which is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "allocators/request_hint.h"
#include "tools/replay/arena_region.h"

namespace arenalab {

class ObjectList {
 public:
  // Both references outlive the list. `moments`: samples that are always told.
  ObjectList(const GeometryValues& geometry, const ArenaRegion& region,
             std::uint32_t slots, std::vector<std::size_t> moments,
             std::size_t most);

  // `slot` is the trace's; `address` that of a pool block.
  void Born(std::uint32_t slot, std::uint64_t address, std::uint64_t bytes,
            std::uint32_t size_class, const RequestHint& hint,
            std::uint8_t owner);
  void Resized(std::uint32_t slot, std::uint64_t bytes) {
    births_[slot].bytes = static_cast<std::uint32_t>(bytes);
  }
  void Died(std::uint32_t slot);
  void Sample() { ++samples_; }

  struct Columns {
    std::size_t count = 0;
    std::vector<std::size_t> told;  // samples at which all objects are listed
    std::string data;               // base64 of the gzip of the varints
  };
  // Call once, last: what still lives lives at the end.
  Columns Encode(bool with_owners);

 private:
  struct Birth {
    static constexpr std::uint32_t kNone = UINT32_MAX;
    std::uint32_t sample = kNone;  // the first at which it lives
    std::uint32_t pool = 0;        // RESULTS.md's number
    std::uint32_t block = 0;
    std::uint32_t bytes = 0;
    std::uint32_t thread = 0;
    std::uint32_t type = 0;
    std::uint32_t site = 0;
    std::uint8_t owner = 0;
  };
  struct Object {
    Birth birth;
    std::uint32_t death;  // the first sample at which it does not live
  };

  bool IsTold(std::uint32_t first, std::uint32_t behind) const;
  void Keep(const Birth& birth, std::uint32_t death);

  const GeometryValues& geometry_;
  const ArenaRegion& region_;
  std::vector<std::size_t> moments_;  // ascending
  std::size_t most_;
  std::uint32_t samples_ = 0;
  std::uint32_t stride_ = 1;
  std::vector<Birth> births_;  // by slot
  std::vector<Object> objects_;
};

}  // namespace arenalab
