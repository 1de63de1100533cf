// A trace compiled for the replay loop: eight bytes an operation, objects as
// indices into a register file. The launcher writes them into a memfd; a worker
// maps it and does nothing but run down the array.
//
//   word   bits 0-2   OpCode
//          bits 3-31  size in bytes; kWideSize: the next Op holds the size
//          (u64)
//   slot   the object's number (tracer/format/object_table.h), so the register
//          file is as large as the peak number of live objects
//
// kAligned is followed by one Op whose `slot` is log2 of the alignment (after
// the wide size, if there is one). kClock carries milliseconds of the trace's
// time since the last kClock in the size field. kSample makes the worker stop
// the timer and take sample number `slot`; it stands only in programs for a
// memory run. kEnd is last, once.
#pragma once

#include <cstdint>

namespace arenalab {

enum class OpCode : std::uint32_t {
  kAlloc = 0,
  kZeroed = 1,
  kAligned = 2,
  kRealloc = 3,
  kFree = 4,
  kSample = 5,
  kClock = 6,
  kEnd = 7,
};

struct Op {
  std::uint32_t slot;
  std::uint32_t word;
};
static_assert(sizeof(Op) == 8, "a replay is bound by the ops' memory traffic");

inline constexpr std::uint32_t kWideSize = (1u << 29) - 1;

constexpr Op MakeOp(OpCode code, std::uint32_t slot, std::uint32_t size) {
  return Op{slot, (size << 3) | static_cast<std::uint32_t>(code)};
}
constexpr OpCode CodeOf(Op op) { return static_cast<OpCode>(op.word & 7); }
constexpr std::uint32_t SizeOf(Op op) { return op.word >> 3; }
static_assert(SizeOf(MakeOp(OpCode::kEnd, 0, kWideSize)) == kWideSize);

}  // namespace arenalab
