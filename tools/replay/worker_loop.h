// The loops that run a segment on a heap. This is where time is measured:
// nothing here allocates, locks, asks the system or reads a clock, and the only
// memory beside the heap's is the ops (read once, in order) and the register
// file (one pointer per live object).
//
// A request that the heap answers with nullptr is counted and leaves the
// register as it was: nullptr, or for a realloc the block that is still live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tools/replay/worker_clock.h"
#include "tools/replay/worker_protocol.h"
#include "tools/replay/worker_segment.h"

namespace arenalab {

// Registers ahead: far enough for a miss to the last-level cache.
inline constexpr std::size_t kPrefetchOps = 12;
static_assert(kPrefetchOps < kReadAhead);

// Writes what the policy wants, never past `bytes`.
template <Touch kTouch>
inline void TouchBlock(void* block, std::size_t bytes) {
  constexpr std::uint64_t kMark = 0x5a5a5a5a5a5a5a5a;
  if constexpr (kTouch == Touch::kHeader) {
    // Plain stores, as an object's reference count and type are.
    auto* p = static_cast<char*>(block);
    if (bytes >= 16) {
      std::memcpy(p, &kMark, 8);
      std::memcpy(p + 8, &kMark, 8);
    } else if (bytes >= 8) {
      std::memcpy(p, &kMark, 8);
    } else if (bytes != 0) {
      *p = 0x5a;
    }
  } else if constexpr (kTouch == Touch::kLine) {
    if (bytes >= 64) {
      std::memset(block, 0x5a, 64);
    } else {
      std::memset(block, 0x5a, bytes);
    }
  } else if constexpr (kTouch == Touch::kFill) {
    std::memset(block, 0x5a, bytes);
  }
}

inline std::size_t TakeSize(Op op, const Op** next) {
  const std::size_t bytes = SizeOf(op);
  if (bytes == kWideSize) [[unlikely]] {
    return WideOf(*(*next)++);
  }
  return bytes;
}

// Runs the requests and nothing else. Returns how many the heap did not serve.
template <typename Heap, Touch kTouch>
std::uint64_t RunTimed(Heap& heap, void** registers, const Segment& segment) {
  std::uint64_t failed = 0;
  const Op* next = segment.begin;
  const Op* const end = segment.end;
  while (next < end) {
    const Op op = *next++;
    __builtin_prefetch(&registers[next[kPrefetchOps].slot], 1);
    void*& reg = registers[op.slot];
    switch (CodeOf(op)) {
      case OpCode::kAlloc: {
        const std::size_t bytes = TakeSize(op, &next);
        reg = heap.Allocate(bytes);
        if (reg == nullptr) [[unlikely]] {
          ++failed;
        } else {
          TouchBlock<kTouch>(reg, bytes);
        }
        break;
      }
      case OpCode::kFree:
        heap.Free(reg);
        reg = nullptr;  // a later realloc of this register begins anew
        break;
      case OpCode::kRealloc: {
        const std::size_t bytes = TakeSize(op, &next);
        void* block = heap.Reallocate(reg, bytes);
        if (block == nullptr) [[unlikely]] {
          ++failed;
        } else {
          reg = block;
          TouchBlock<kTouch>(block, bytes);
        }
        break;
      }
      case OpCode::kZeroed: {
        const std::size_t bytes = TakeSize(op, &next);
        reg = heap.AllocateZeroed(1, bytes);
        if (reg == nullptr) [[unlikely]] {
          ++failed;
        } else {
          TouchBlock<kTouch>(reg, bytes);
        }
        break;
      }
      case OpCode::kAligned: {
        const std::size_t bytes = TakeSize(op, &next);
        const std::size_t align = std::size_t{1} << (next++)->slot;
        reg = heap.AllocateAligned(align, bytes);
        if (reg == nullptr) [[unlikely]] {
          ++failed;
        } else {
          TouchBlock<kTouch>(reg, bytes);
        }
        break;
      }
      case OpCode::kClock:
        AdvanceTrace(SizeOf(op));
        break;
      case OpCode::kSample:
      case OpCode::kEnd:
        break;
    }
  }
  return failed;
}

}  // namespace arenalab
