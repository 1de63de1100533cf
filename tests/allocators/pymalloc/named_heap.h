// A heap for the tests whose arenas and raw blocks have names.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_check.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {

// The C library's blocks, those not freed remembered: a test may forget them.
class ForgivingRaw {
 public:
  ~ForgivingRaw() {
    for (void* block : live_) std::free(block);
  }
  RawSource source() {
    static const RawSource kLibc = LibcRawSource();
    RawSource source = kLibc;
    source.context = this;
    source.allocate = [](void* self, std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate(nullptr, bytes));
    };
    source.allocate_zeroed = [](void* self, std::size_t n, std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate_zeroed(nullptr, n, bytes));
    };
    source.allocate_aligned = [](void* self, std::size_t alignment,
                                 std::size_t bytes) {
      return Raw(self).Add(kLibc.allocate_aligned(nullptr, alignment, bytes));
    };
    source.reallocate = [](void* self, void* p, std::size_t bytes) {
      Raw(self).live_.erase(p);
      return Raw(self).Add(kLibc.reallocate(nullptr, p, bytes));
    };
    source.free = [](void* self, void* p) {
      EXPECT_EQ(Raw(self).live_.erase(p), 1u) << "not a live raw block";
      kLibc.free(nullptr, p);
    };
    return source;
  }

 private:
  static ForgivingRaw& Raw(void* self) {
    return *static_cast<ForgivingRaw*>(self);
  }
  void* Add(void* block) {
    if (block != nullptr) live_.insert(block);
    return block;
  }
  std::set<void*> live_;
};

// A heap whose arenas have names.
template <class G>
class NamedHeap {
 public:
  explicit NamedHeap(int placement = 0) : arenas(placement), heap(Options()) {}

  std::uint64_t At(const void* block) const {
    const auto position = arenas.PositionOf(block);
    return position ? position->offset : kRaw;
  }
  // Offset in the arena of a new block.
  std::uint64_t Malloc(std::size_t bytes) {
    blocks.push_back(heap.Allocate(bytes));
    return At(blocks.back());
  }
  void FreeNth(std::size_t i) { heap.Free(blocks[i]); }

  static constexpr std::uint64_t kRaw = ~std::uint64_t{0};

  SlotArenaSource arenas;
  ForgivingRaw raw;
  Heap<G> heap;
  std::vector<void*> blocks;

 private:
  HeapOptions Options() {
    HeapOptions options;
    options.arena_source = arenas.source();
    options.raw_source = raw.source();
    return options;
  }
};

}  // namespace arenalab
