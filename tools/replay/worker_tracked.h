// The loop of untimed replays: knows how large each block is, takes samples,
// and in check mode proves that every block held its bytes while it lived.
//
// A check fills each block with one byte value made from its register and size;
// two blocks that overlap, a realloc that loses bytes and a zeroed block that
// is not are counted as corrupted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tools/replay/worker_loop.h"
#include "tools/replay/worker_protocol.h"
#include "tools/replay/worker_rss.h"
#include "tools/replay/worker_segment.h"

namespace arenalab {

inline void TouchAs(Touch touch, void* block, std::size_t bytes) {
  switch (touch) {
    case Touch::kNone:
      return;
    case Touch::kHeader:
      return TouchBlock<Touch::kHeader>(block, bytes);
    case Touch::kLine:
      return TouchBlock<Touch::kLine>(block, bytes);
    case Touch::kFill:
      return TouchBlock<Touch::kFill>(block, bytes);
  }
}

// True if `bytes` bytes at `block` all are `value`.
inline bool IsFilled(const void* block, std::size_t bytes,
                     unsigned char value) {
  const auto* p = static_cast<const unsigned char*>(block);
  return bytes == 0 || (p[0] == value && std::memcmp(p, p + 1, bytes - 1) == 0);
}

template <typename Heap>
class TrackedReplay {
 public:
  // `registers` and `sizes` have one element per slot, all zero; `samples` has
  // report->in.samples elements.
  TrackedReplay(Heap& heap, void** registers, std::uint64_t* sizes,
                ReplayReport* report, ReplaySample* samples)
      : heap_(heap),
        registers_(registers),
        sizes_(sizes),
        report_(report),
        samples_(samples),
        addresses_(
            reinterpret_cast<std::uint64_t*>(samples + report->in.samples)),
        addresses_end_(addresses_ + (report->in.mode == ReplayMode::kMemory
                                         ? report->in.addresses
                                         : 0)),
        check_(report->in.mode == ReplayMode::kCheck),
        touch_(report->in.touch),
        tells_usable_(TellsUsableSize(heap)) {}

  void Run(const Segment& segment, SegmentReader* reader) {
    for (const Op* next = segment.begin; next < segment.end;) {
      const Op op = *next++;
      switch (CodeOf(op)) {
        case OpCode::kSample:
          reader->Drop();
          Sample(&samples_[op.slot]);
          break;
        case OpCode::kClock:
          if (report_->in.clock == ReplayClock::kIdled) {
            Idle(SizeOf(op));
          } else {
            AdvanceTrace(SizeOf(op));
          }
          break;
        case OpCode::kEnd:
          break;
        default:
          Request(op, &next);
          ++report_->events;
      }
    }
  }

  void Sample(ReplaySample* sample) {
    const Resident resident = ReadResident();
    sample->rss_bytes = resident.rss_bytes;
    sample->anonymous_bytes = resident.anonymous_bytes;
    sample->requested_bytes = requested_bytes_;
    sample->usable_bytes = tells_usable_ ? usable_bytes_ : -1;
    sample->mapped_bytes = ReadMapped();
    sample->events = report_->events;
    sample->taken = 1;
    const bool last = report_->in.samples != 0 &&
                      sample == samples_ + report_->in.samples - 1;
    if (SlowSnapshot(heap_) && sample != &report_->start && !last) {
      // All that the C library maps is its heap's: a test compares.
      sample->heap = {.held_bytes = report_->start.heap.held_bytes +
                                    sample->mapped_bytes -
                                    report_->start.mapped_bytes};
    } else {
      sample->heap = heap_.Snapshot();
    }
  }

 private:
  // A heap may say that its UsableSize() means nothing here, and that its
  // Snapshot() takes too long to be taken at every sample.
  static bool TellsUsableSize(const Heap& heap) {
    if constexpr (requires { heap.TellsUsableSize(); }) {
      return heap.TellsUsableSize();
    } else {
      return true;
    }
  }
  static bool SlowSnapshot(const Heap& heap) {
    if constexpr (requires { heap.SlowSnapshot(); }) {
      return heap.SlowSnapshot();
    } else {
      return false;
    }
  }
  std::int64_t UsableBytes(void* block) const {
    return tells_usable_ && block != nullptr
               ? static_cast<std::int64_t>(heap_.UsableSize(block))
               : 0;
  }

  void Request(Op op, const Op** next) {
    const std::uint32_t slot = op.slot;
    void* const old_block = registers_[slot];
    const std::size_t old_bytes = sizes_[slot];
    const std::int64_t old_usable = UsableBytes(old_block);
    if (CodeOf(op) == OpCode::kFree) {
      usable_bytes_ -= old_usable;
      Verify(slot, old_block, old_bytes, old_bytes);
      heap_.Free(old_block);
      Store(slot, nullptr, 0);
      return;
    }
    const std::size_t bytes = TakeSize(op, next);
    void* block = nullptr;
    switch (CodeOf(op)) {
      case OpCode::kZeroed:
        block = heap_.AllocateZeroed(1, bytes);
        if (check_ && block != nullptr && !IsFilled(block, bytes, 0)) {
          ++report_->corrupted;
        }
        break;
      case OpCode::kAligned: {
        const std::size_t align = std::size_t{1} << ((*next)++)->slot;
        block = heap_.AllocateAligned(align, bytes);
        if (check_ && reinterpret_cast<std::uintptr_t>(block) % align != 0) {
          ++report_->corrupted;
        }
        break;
      }
      case OpCode::kRealloc:
        block = heap_.Reallocate(old_block, bytes);
        break;
      default:
        block = heap_.Allocate(bytes);
    }
    if (addresses_ < addresses_end_) {
      *addresses_++ = reinterpret_cast<std::uintptr_t>(block);
    }
    if (block == nullptr) {
      ++report_->failed;
      if (CodeOf(op) != OpCode::kRealloc) Store(slot, nullptr, 0);
      return;
    }
    if (CodeOf(op) == OpCode::kRealloc && old_block != nullptr) {
      Verify(slot, block, old_bytes, old_bytes < bytes ? old_bytes : bytes);
    }
    usable_bytes_ += UsableBytes(block) - old_usable;
    Store(slot, block, bytes);
    if (check_) {
      std::memset(block, ValueOf(slot, bytes), bytes);
    } else {
      TouchAs(touch_, block, bytes);
    }
  }

  void Store(std::uint32_t slot, void* block, std::size_t bytes) {
    requested_bytes_ += static_cast<std::int64_t>(bytes) -
                        static_cast<std::int64_t>(sizes_[slot]);
    registers_[slot] = block;
    sizes_[slot] = bytes;
  }

  // Never zero: a block that was zeroed by mistake shows too.
  static unsigned char ValueOf(std::uint32_t slot, std::size_t bytes) {
    return static_cast<unsigned char>((slot * 31 + bytes * 7) % 255 + 1);
  }

  void Verify(std::uint32_t slot, const void* block, std::size_t filled_as,
              std::size_t bytes) {
    if (!check_ || block == nullptr) return;
    if (!IsFilled(block, bytes, ValueOf(slot, filled_as))) {
      ++report_->corrupted;
    }
  }

  Heap& heap_;
  void** registers_;
  std::uint64_t* sizes_;
  ReplayReport* report_;
  ReplaySample* samples_;
  std::uint64_t* addresses_;  // the next of worker_protocol.h's
  std::uint64_t* const addresses_end_;
  const bool check_;
  const Touch touch_;
  const bool tells_usable_;
  std::int64_t requested_bytes_ = 0;
  std::int64_t usable_bytes_ = 0;
};

}  // namespace arenalab
