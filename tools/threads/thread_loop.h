// The loop that runs one stream on one real thread. In a timed run nothing here
// allocates, locks (but where the model is a lock), asks the system or reads a
// clock, except where it has to wait for another stream.
//
// A tracked run also knows every block's size: it fills blocks with bytes that
// only this object has, and in a check verifies them before the block is given
// up: two blocks that overlap, a realloc that loses bytes and a zeroed block
// that is not zero are counted as corrupted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "allocators/allocator.h"
#include "tools/replay/worker_loop.h"
#include "tools/replay/worker_tracked.h"
#include "tools/threads/slice_lock.h"
#include "tools/threads/thread_op.h"
#include "tools/threads/thread_protocol.h"
#include "tools/threads/thread_waiting.h"

namespace arenalab {

// What a stream's thread needs to know; its own, but for what is pointed to.
struct StreamContext {
  std::uint32_t number = 0;
  std::uint32_t streams = 1;
  Touch touch = Touch::kHeader;
  bool check = false;
  bool holds_contents = true;  // false for null
  std::uint64_t window = 0;
  void** blocks = nullptr;         // its own registers
  std::uint64_t* sizes = nullptr;  // tracked runs
  SharedObject* shared = nullptr;
  Position* positions = nullptr;  // one a stream
  SliceLock* lock = nullptr;      // taken for each request where there is one
  std::int64_t requested_bytes = 0;  // tracked: allocated less given up, here
  StreamReport* report = nullptr;
  ThreadReport* process = nullptr;
  // Stops all streams and takes a sample; tracked runs.
  void (*moment)(void* run, std::uint32_t stream,
                 std::uint32_t number) = nullptr;
  void* run = nullptr;
};

// Eight bytes that no other live object is filled with: objects of a stream,
// and shared ones, are told apart by their numbers.
inline std::uint64_t ContentOf(std::uint64_t object, std::uint64_t bytes) {
  std::uint64_t x = object * 0x9e3779b97f4a7c15 + bytes;
  x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return (x ^ x >> 32) | 1;  // not zero: a block zeroed by mistake shows
}

inline void FillContent(void* block, std::size_t bytes, std::uint64_t value) {
  auto* p = static_cast<unsigned char*>(block);
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) std::memcpy(p + i, &value, 8);
  std::memcpy(p + i, &value, bytes - i);
}

inline bool HasContent(const void* block, std::size_t bytes,
                       std::uint64_t value) {
  const auto* p = static_cast<const unsigned char*>(block);
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    if (std::memcmp(p + i, &value, 8) != 0) return false;
  }
  return std::memcmp(p + i, &value, bytes - i) == 0;
}

inline std::uint64_t ObjectOf(const StreamContext& me, ThreadOp op) {
  return (op.word & kShared) != 0 ? std::uint64_t{1} << 63 | op.slot
                                  : std::uint64_t{me.number} << 32 | op.slot;
}

// Publishes where this stream is, and waits until none is further behind than
// the window. The slowest never waits, so this ends.
inline void TakePosition(StreamContext& me, std::uint64_t step) {
  me.positions[me.number].step.store(step, std::memory_order_release);
  const auto near = [&] {
    for (std::uint32_t i = 0; i < me.streams; ++i) {
      const std::uint64_t other =
          me.positions[i].step.load(std::memory_order_acquire);
      if (other < step && step - other > me.window) return false;
    }
    return true;
  };
  if (!near()) WaitUntil(near, me.report, me.process);
}

// One request of the heap, the lock around it where there is one.
template <typename Heap>
inline void* Ask(Heap& heap, SliceLock* lock, ThreadCode code, void* old,
                 std::size_t bytes, std::uint32_t align_log2) {
  if (lock != nullptr) [[unlikely]]
    lock->Take();
  void* block = nullptr;
  switch (code) {
    case ThreadCode::kAlloc:
      block = heap.Allocate(bytes);
      break;
    case ThreadCode::kFree:
      heap.Free(old);
      break;
    case ThreadCode::kRealloc:
      block = heap.Reallocate(old, bytes);
      break;
    case ThreadCode::kZeroed:
      block = heap.AllocateZeroed(1, bytes);
      break;
    default:
      block = heap.AllocateAligned(std::size_t{1} << align_log2, bytes);
  }
  if (lock != nullptr) [[unlikely]]
    lock->Drop();
  return block;
}

// What a tracked run does with a block that a request brought (nullptr for a
// free) in place of `old`.
inline void Track(StreamContext& me, ThreadOp op, void* block, void* old,
                  std::uint64_t* size, std::uint64_t bytes,
                  std::uint32_t align_log2) {
  const bool verify = me.check && me.holds_contents;
  const std::uint64_t object = ObjectOf(me, op);
  if (CodeOf(op) == ThreadCode::kRealloc && block == nullptr) return;
  if (verify && block != nullptr) {
    bool sound = true;
    if (CodeOf(op) == ThreadCode::kZeroed) {
      sound = IsFilled(block, bytes, 0);
    } else if (CodeOf(op) == ThreadCode::kAligned) {
      sound = reinterpret_cast<std::uintptr_t>(block) %
                  (std::size_t{1} << align_log2) ==
              0;
    } else if (CodeOf(op) == ThreadCode::kRealloc && old != nullptr) {
      sound = HasContent(block, *size < bytes ? *size : bytes,
                         ContentOf(object, *size));
    }
    me.report->corrupted += !sound;
  }
  me.requested_bytes -= static_cast<std::int64_t>(*size);
  *size = block == nullptr ? 0 : bytes;
  me.requested_bytes += static_cast<std::int64_t>(*size);
  if (block == nullptr) return;
  if (verify) {
    FillContent(block, bytes, ContentOf(object, bytes));
  } else {
    TouchAs(me.touch, block, bytes);
  }
}

// Runs from `next` until an operation begins at or behind `stop`; returns where
// the next one begins.
template <typename Heap, bool kTracked>
[[gnu::noinline]] const ThreadOp* RunOps(Heap& heap, StreamContext& me,
                                         const ThreadOp* next,
                                         const ThreadOp* const stop) {
  std::uint64_t events = 0;
  while (next < stop) {
    const ThreadOp op = *next++;
    const ThreadCode code = CodeOf(op);
    if (code >= ThreadCode::kMoment) [[unlikely]] {
      if (code == ThreadCode::kPosition) TakePosition(me, WideOf(*next++));
      if constexpr (kTracked) {
        if (code == ThreadCode::kMoment) me.moment(me.run, me.number, op.slot);
      }
      continue;
    }
    std::uint64_t bytes = SizeOf(op);
    if (bytes == kWideThreadSize) [[unlikely]]
      bytes = WideOf(*next++);
    std::uint32_t align_log2 = 0;
    if (code == ThreadCode::kAligned) align_log2 = (next++)->slot;
    void** block = nullptr;
    std::uint64_t* size = nullptr;
    SharedObject* object = nullptr;
    std::uint32_t turn = 0;
    if ((op.word & kShared) != 0) {
      object = &me.shared[op.slot];
      if ((op.word & (kWait | kPublish)) != 0) turn = (next++)->slot;
      if ((op.word & kWait) != 0) {
        const auto ready = [&] {
          return object->turn.load(std::memory_order_acquire) == turn;
        };
        if (!ready()) WaitUntil(ready, me.report, me.process);
      }
      block = &object->block;
      size = &object->size_bytes;
    } else {
      block = &me.blocks[op.slot];
      if constexpr (kTracked) size = &me.sizes[op.slot];
    }
    void* const old = *block;
    if constexpr (kTracked) {
      if (code == ThreadCode::kFree && me.check && me.holds_contents &&
          old != nullptr &&
          !HasContent(old, *size, ContentOf(ObjectOf(me, op), *size))) {
        ++me.report->corrupted;
      }
    }
    void* const fresh = Ask(heap, me.lock, code, old, bytes, align_log2);
    ++events;
    if constexpr (kTracked) {
      Track(me, op, fresh, old, size, bytes, align_log2);
    } else if (fresh != nullptr) {
      TouchAs(me.touch, fresh, bytes);
    }
    if (fresh == nullptr && code != ThreadCode::kFree) [[unlikely]] {
      ++me.report->failed;
      // A failed realloc leaves the old block; another leaves none.
      if (code != ThreadCode::kRealloc) *block = nullptr;
    } else {
      *block = fresh;
    }
    if (object != nullptr) {
      if (code != ThreadCode::kFree) object->owner = me.number;
      if ((op.word & kPublish) != 0) {
        object->turn.store(turn + 1, std::memory_order_release);
      }
    }
  }
  me.report->events += events;
  return next;
}

}  // namespace arenalab
