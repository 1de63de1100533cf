// A recorded thread compiled for a real one: eight bytes an operation, objects
// as indices. The launcher writes one array of them for each thread that is to
// run; the worker (thread_loop.h) runs down its own.
//
//   word   bits 0-2   ThreadCode
//          bit  3     kShared: the object is used by more than one stream, and
//                     `slot` counts in the table of these, not in the stream's
//                     own registers
//          bit  4     kWait: the operation before this one on the object is
//                     another stream's
//          bit  5     kPublish: the operation after this one is
//          bits 6-31  size in bytes; kWideThreadSize: the next Op holds it
//   slot   the object's number
//
// Behind an operation stand, in this order and each only where it is needed:
// the wide size (u64); for kAligned log2 of the alignment (`slot`); for kWait
// and kPublish the turn (`slot`): how often the object changed streams before.
//
// kPosition is followed by one Op, the u64 number of the recorded step that
// comes next. kMoment stops all streams for sample number `slot`. kEnd is last.
#pragma once

#include <cstdint>

namespace arenalab {

enum class ThreadCode : std::uint32_t {
  kAlloc = 0,
  kZeroed = 1,
  kAligned = 2,
  kRealloc = 3,
  kFree = 4,
  kMoment = 5,
  kPosition = 6,
  kEnd = 7,
};

struct ThreadOp {
  std::uint32_t slot;
  std::uint32_t word;
};
static_assert(sizeof(ThreadOp) == 8);

inline constexpr std::uint32_t kShared = 1u << 3;
inline constexpr std::uint32_t kWait = 1u << 4;
inline constexpr std::uint32_t kPublish = 1u << 5;
inline constexpr std::uint32_t kWideThreadSize = (1u << 26) - 1;

constexpr ThreadOp MakeThreadOp(ThreadCode code, std::uint32_t slot,
                                std::uint32_t size, std::uint32_t flags) {
  return {slot, size << 6 | flags | static_cast<std::uint32_t>(code)};
}
constexpr ThreadCode CodeOf(ThreadOp op) {
  return static_cast<ThreadCode>(op.word & 7);
}
constexpr std::uint32_t SizeOf(ThreadOp op) { return op.word >> 6; }

// The u64 that stands in the place of an Op.
constexpr std::uint64_t WideOf(ThreadOp op) {
  return op.slot | std::uint64_t{op.word} << 32;
}
constexpr ThreadOp MakeWideThreadOp(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value),
          static_cast<std::uint32_t>(value >> 32)};
}
static_assert(WideOf(MakeWideThreadOp(0x123456789abcdef0)) ==
              0x123456789abcdef0);

}  // namespace arenalab
