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

// A call, so that the counter lives in memory that nobody looks at until then:
// as a variable of the loop it would be added to for every request.
[[gnu::noinline, gnu::cold]] inline void CountFailure(std::uint64_t* failed) {
  ++*failed;
}

// Puts a new block where its register is.
template <Touch kTouch>
inline void Put(void* block, std::size_t bytes, void** reg,
                std::uint64_t* failed) {
  *reg = block;
  if (block == nullptr) [[unlikely]] {
    CountFailure(failed);
  } else {
    TouchBlock<kTouch>(block, bytes);
  }
}

// Runs the requests and nothing else; counts those that the heap did not serve.
//
// Not inlined: inside its caller it would have to keep its few variables on the
// stack. Allocations and frees are told apart before the jump table, as they
// are nearly everything.
template <typename Heap, Touch kTouch>
[[gnu::noinline]] void RunTimed(Heap& heap, void** registers, const Op* next,
                                const Op* const end, std::uint64_t* failed) {
  while (next < end) {
    const Op op = *next++;
    __builtin_prefetch(&registers[next[kPrefetchOps].slot], 1);
    void** const reg = &registers[op.slot];
    if (CodeOf(op) == OpCode::kAlloc) {
      const std::size_t bytes = TakeSize(op, &next);
      Put<kTouch>(heap.Allocate(bytes), bytes, reg, failed);
      continue;
    }
    if (CodeOf(op) == OpCode::kFree) {
      heap.Free(*reg);
      *reg = nullptr;  // a later realloc of this register begins anew
      continue;
    }
    switch (CodeOf(op)) {
      case OpCode::kRealloc: {
        const std::size_t bytes = TakeSize(op, &next);
        void* block = heap.Reallocate(*reg, bytes);
        // A failed one leaves the old block in its register.
        Put<kTouch>(block, bytes, block == nullptr ? &block : reg, failed);
        break;
      }
      case OpCode::kZeroed: {
        const std::size_t bytes = TakeSize(op, &next);
        Put<kTouch>(heap.AllocateZeroed(1, bytes), bytes, reg, failed);
        break;
      }
      case OpCode::kAligned: {
        const std::size_t bytes = TakeSize(op, &next);
        const std::size_t align = std::size_t{1} << (next++)->slot;
        Put<kTouch>(heap.AllocateAligned(align, bytes), bytes, reg, failed);
        break;
      }
      case OpCode::kClock:
        AdvanceTrace(SizeOf(op));
        break;
      default:
        break;  // samples belong to memory runs
    }
  }
}

}  // namespace arenalab
