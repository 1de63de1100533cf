// A row of requests as they lie in a ring (ring/ring.h), for whoever takes them
// by the row: most of a Python program's are like that, and taking them one by
// one as Events is most of what a recording costs.
//
//   word - bias:  63......16 15....6  5  4...3 2..0
//                 address    size     0  layer kind      = a head of the trace
//                                                        format, below address
//
// PLAIN are alloc and zeroed with a size below kWideSize, free, whose size
// field holds the number of a type or 0, and realloc, likewise, whose second
// word is the old address. All at depth 0, of state 0, at one time and by one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tracer/event.h"

namespace arenalab {

struct PlainRequests {
  const std::uint64_t* words;  // of whole records; others may stand among them
  std::size_t count;
  std::uint64_t bias;
  std::uint32_t thread;                  // as in Event
  std::uint64_t time_ns;                 // likewise
  std::uint32_t site;                    // likewise
  std::span<const std::uint32_t> types;  // as in Event, by a free's number

  static constexpr std::uint64_t kHeadMask = 0xffff;
  static constexpr std::uint64_t kWideSize = 1023;

  static constexpr EventKind Kind(std::uint64_t word) {
    return static_cast<EventKind>(word & 7);
  }
  static constexpr std::uint64_t Size(std::uint64_t word) {
    return word >> 6 & 1023;
  }
  // Of a word with the bias subtracted.
  static constexpr bool IsPlain(std::uint64_t word) {
    return (word & 0x20) == 0 && Kind(word) <= EventKind::kFree &&
           Kind(word) != EventKind::kAligned && Size(word) != kWideSize;
  }
  std::uint32_t TypeOf(std::uint64_t number) const {
    return number < types.size() ? types[number] : 0;
  }
};

// How much of a row was taken, from its begin to the first that is not plain.
struct PlainTaken {
  std::size_t words = 0;
  std::size_t requests = 0;
};

}  // namespace arenalab
