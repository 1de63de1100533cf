// The request streams whose addresses real interpreters were asked for, and the
// log of what an allocator answers, hashed.
//
// A stream draws from a linear congruential generator (state starts at 1, the
// upper 31 of 64 bits are the draw) and works on 20,000 slots, empty at first.
//
//   1  300,000 steps of malloc, realloc or free of 0 to 559 bytes at random
//   2  12 cycles: fill every empty slot, free 1999 of 2000 up or down
//   3  fill one arena exactly, then 1000 times malloc(512) and free
//
// and then frees what is left in slot order. The log is FNV-1a-64 over 64-bit
// words: 0xA0000000 + k when arena k is acquired, 0xF0000000 + k when it is
// released; two words (k, offset) for a block, one 0xFFFFFFFF for a block that
// lies in no arena; at the end the arenas created and the arenas live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "allocators/heap_options.h"
#include "allocators/pymalloc/statistics.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {

class AddressLog {
 public:
  static constexpr std::size_t kCheckpoint = 1000;

  void ArenaAcquired(std::uint64_t k) { Record({0xA0000000 + k}); }
  void ArenaReleased(std::uint64_t k) { Record({0xF0000000 + k}); }
  void Block(std::uint64_t k, std::uint64_t offset) {
    if (offsets_.size() < 16) offsets_.push_back(offset);
    Record({k, offset});
  }
  void RawBlock() { Record({0xFFFFFFFF}); }
  void End(std::uint64_t created, std::uint64_t live) {
    records_before_end_ = records_;
    Record({created, live});
  }

  std::uint64_t hash() const { return hash_; }
  std::uint64_t checkpoint() const { return checkpoint_; }
  std::size_t records_before_end() const { return records_before_end_; }
  // Offsets of the first blocks.
  const std::vector<std::uint64_t>& offsets() const { return offsets_; }

 private:
  void Record(std::initializer_list<std::uint64_t> words) {
    for (std::uint64_t word : words)
      for (int byte = 0; byte < 8; ++byte)
        hash_ = (hash_ ^ (word >> 8 * byte & 0xff)) * 1099511628211u;
    if (++records_ == kCheckpoint) checkpoint_ = hash_;
  }

  std::uint64_t hash_ = 1469598103934665603u;
  std::uint64_t checkpoint_ = 0;
  std::size_t records_ = 0;
  std::size_t records_before_end_ = 0;
  std::vector<std::uint64_t> offsets_;
};

// Arenas whose coming and going is in the log.
class LoggedArenas : public SlotArenaSource {
 public:
  LoggedArenas(int placement, AddressLog* log)
      : SlotArenaSource(placement), log_(log) {}

  void LogBlock(const void* block) {
    if (const auto position = PositionOf(block))
      log_->Block(position->arena, position->offset);
    else
      log_->RawBlock();
  }
  // The destructor of a heap releases too: that is not part of a stream.
  void StopLogging() { log_ = nullptr; }

 private:
  void OnAcquire(std::uint64_t k) override {
    if (log_ != nullptr) log_->ArenaAcquired(k);
  }
  void OnRelease(std::uint64_t k) override {
    if (log_ != nullptr) log_->ArenaReleased(k);
  }

  AddressLog* log_;
};

class Draws {
 public:
  std::uint64_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }

 private:
  std::uint64_t state_ = 1;
};

inline constexpr std::size_t kStreamSlots = 20000;

// Runs a stream up to, not including, the drain. `log(block)` sees each result.
template <class H, class Log>
void RunStream(int stream, std::size_t fill_blocks, H& heap,
               std::vector<void*>& slots, Log&& log) {
  Draws draws;
  if (stream == 1) {
    for (int step = 0; step < 300000; ++step) {
      const std::uint64_t r = draws.Next();
      const std::size_t bytes = draws.Next() % 560;
      void*& slot = slots[r % kStreamSlots];
      if (slot == nullptr) {
        log(slot = heap.Allocate(bytes));
      } else if ((r >> 20 & 1) != 0) {
        log(slot = heap.Reallocate(slot, bytes));
      } else {
        heap.Free(slot);
        slot = nullptr;
      }
    }
  } else if (stream == 2) {
    for (int cycle = 0; cycle < 12; ++cycle) {
      for (void*& slot : slots)
        if (slot == nullptr) log(slot = heap.Allocate(1 + draws.Next() % 512));
      for (std::size_t t = 0; t < kStreamSlots; ++t) {
        void*& slot = slots[cycle % 2 == 0 ? t : kStreamSlots - 1 - t];
        if (draws.Next() % 2000 == 0) continue;
        heap.Free(slot);
        slot = nullptr;
      }
    }
  } else {
    for (std::size_t i = 0; i < fill_blocks; ++i)
      log(slots[i] = heap.Allocate(512));
    for (int i = 0; i < 1000; ++i) {
      void* block = heap.Allocate(512);
      log(block);
      heap.Free(block);
    }
  }
}

struct StreamResult {
  AddressLog log;
  std::uint64_t arenas_created;
  std::uint64_t released_before_drain;
  std::uint64_t live_at_end;
  Statistics before_drain;
};

// The whole run on a new heap. Stream 3 fills an arena of `fill_blocks`.
template <class H>
StreamResult RunGoldenStream(int stream, int placement,
                             std::size_t fill_blocks = 0,
                             HeapOptions options = {}) {
  StreamResult result{};
  LoggedArenas arenas(placement, &result.log);
  options.arena_source = arenas.source();
  H heap(options);
  std::vector<void*> slots(kStreamSlots, nullptr);
  RunStream(stream, fill_blocks, heap, slots,
            [&](void* block) { arenas.LogBlock(block); });
  result.before_drain = heap.ComputeStatistics();
  result.released_before_drain = arenas.released();
  for (void* slot : slots) heap.Free(slot);
  result.arenas_created = arenas.created();
  result.live_at_end = arenas.created() - arenas.released();
  result.log.End(result.arenas_created, result.live_at_end);
  arenas.StopLogging();
  return result;
}

}  // namespace arenalab
