// Mistakes around the placement: what a request becomes, whose an address is,
// how a pool leaves its list, what the statistics count. One is put wrong at a
// time, in a heap that is otherwise the real one; each test shows first that
// nothing is caught where nothing is wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_members.h"
#include "tests/allocators/pymalloc/trap.h"

namespace arenalab {
namespace {

struct DebugHooks : Trap<Cpython38> {};        // trap 13
struct OneLeafEntry : Trap<Cpython311> {};     // trap 16
struct SlotsNotReused : Trap<Cpython38> {};    // trap 17
struct ZeroesTheBlock : Trap<Cpython38> {};    // trap 19
struct UnlinksRoughly : Trap<Cpython38> {};    // trap 21
struct EmptyPoolsAsRows : Trap<Cpython38> {};  // trap 15
struct NoVirginPools : Trap<Cpython38> {};     // trap 15
struct NoAlignment : Trap<Cpython311> {};      // trap 15

enum class Miscount {
  kNothing,
  kEmptyPoolsAsRows,
  kNoVirginPools,
  kNoAlignment
};

// The sums of the dump, from a walk of its own, with one thing wrong or none.
template <class H>
Statistics Counted(const H& heap, Miscount wrong) {
  Statistics s;
  const GeometryValues& g = heap.geometry();
  heap.VisitArenas([&](const ArenaView& arena) {
    if (wrong != Miscount::kNoVirginPools)
      s.unused_pools += arena.total_pools - arena.carved_pools;
    if (wrong != Miscount::kNoAlignment && arena.first_pool != arena.base)
      s.alignment_bytes += g.pool_bytes;
    heap.VisitPools(arena, [&](const PoolHeader& pool) {
      if (pool.live_blocks == 0 && wrong != Miscount::kEmptyPoolsAsRows) {
        ++s.unused_pools;
        return;
      }
      const std::uint64_t all = BlocksPerPool(g, pool.size_class);
      s.allocated_bytes += pool.live_blocks * BlockSize(g, pool.size_class);
      s.available_bytes +=
          (all - pool.live_blocks) * BlockSize(g, pool.size_class);
      s.pool_header_bytes += g.header_bytes;
    });
  });
  return s;
}

}  // namespace

// Trap 13: the 24 bytes that debug hooks add before 3.8's serial number, on a
// heap that has none.
template <>
void* Heap<DebugHooks>::Allocate(std::size_t bytes) noexcept {
  void* block = TakeBlock(bytes + 24);
  return block != nullptr ? block : AllocateRaw(bytes + 24);
}

// Trap 16: an arena off its boundary is marked in the entry where it begins,
// and not in the one where it ends.
template <>
bool Heap<OneLeafEntry>::OwnsInPool(const void* p, const PoolHeader*) const {
  const std::uint64_t address = AddressOf(p), bytes = geometry().arena_bytes;
  for (std::uint32_t i = 0; i < records_.size(); ++i) {
    const std::uint64_t base = records_[i].base;
    if (base != 0 && address >= base && address < (base / bytes + 1) * bytes)
      return true;
  }
  return false;
}

// Trap 17: the record of a released arena is not used again.
template <>
void Heap<SlotsNotReused>::ReleaseArena(ArenaRecord* arena) {
  const std::uint64_t base = arena->base;
  arena->base = 0;
  --arenas_live_;
  arena_source_.release(arena_source_.context, reinterpret_cast<void*>(base),
                        geometry().arena_bytes);
}

// Trap 19: calloc zeroes all of the block.
template <>
void* Heap<ZeroesTheBlock>::AllocateZeroed(std::size_t count,
                                           std::size_t bytes) noexcept {
  void* block = TakeBlock(count * bytes);
  if (block == nullptr) return nullptr;
  return std::memset(block, 0, UsableSize(block));
}

// Trap 21: the pool behind an emptied one takes the front of the list.
template <>
void Heap<UnlinksRoughly>::PoolBecameEmpty(PoolHeader* pool) {
  const std::uint64_t sentinel = Sentinel(pool->size_class);
  PoolHeader* next = PoolAt(pool->next);
  next->prev = pool->prev;
  PoolAt(pool->prev)->next = AddressOf(next);
  if (AddressOf(next) != sentinel) {
    PoolAt(next->next)->prev = next->prev;
    PoolAt(next->prev)->next = next->next;
    LinkUsed(next, sentinel);
  }
  ArenaRecord* arena = &records_[pool->arena_index];
  pool->next = arena->free_list;
  arena->free_list = AddressOf(pool);
  if (usable_.PoolReturned(arena, policy())) ReleaseArena(arena);
}

template <>
Statistics Heap<EmptyPoolsAsRows>::ComputeStatistics() const noexcept {
  return Counted(*this, Miscount::kEmptyPoolsAsRows);
}
template <>
Statistics Heap<NoVirginPools>::ComputeStatistics() const noexcept {
  return Counted(*this, Miscount::kNoVirginPools);
}
template <>
Statistics Heap<NoAlignment>::ComputeStatistics() const noexcept {
  return Counted(*this, Miscount::kNoAlignment);
}

namespace {

TEST(RequestTrap, BytesOfDebugHooksWhereThereAreNone) {
  EXPECT_EQ((CaughtBy<Heap<DebugHooks>, Heap<Cpython38>>()),
            kStream1 | kStream2 | kStream3);
}

// Arenas that begin half an arena off: their second halves are in the next
// entry of the map. (Off by less than a pool, as in the golden streams, no pool
// lies beyond.)
class HalfwayArenas {
 public:
  ArenaSource source() {
    ArenaSource arenas{};
    arenas.context = this;
    arenas.acquire = [](void* self, std::size_t bytes) {
      auto& memory = static_cast<HalfwayArenas*>(self)->memory_;
      memory.reset(
          static_cast<unsigned char*>(std::aligned_alloc(bytes, 2 * bytes)));
      return static_cast<void*>(memory.get() + bytes / 2);
    };
    arenas.release = [](void*, void*, std::size_t) {};
    return arenas;
  }

 private:
  struct Release {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };
  std::unique_ptr<unsigned char, Release> memory_;
};

// How many of the blocks that fill an arena the heap says are its own.
template <class H>
std::size_t OwnedOf(std::size_t blocks) {
  HalfwayArenas arenas;
  HeapOptions options;
  options.arena_source = arenas.source();
  H heap(options);
  std::size_t owned = 0;
  for (std::size_t i = 0; i < blocks; ++i)
    owned += heap.Owns(heap.Allocate(512));
  return owned;
}

TEST(RequestTrap, AnArenaThatEndsInAnotherLeafEntry) {
  const std::size_t all = 64 * BlocksPerPool<Cpython311>(31);
  EXPECT_EQ(OwnedOf<Heap<Cpython311>>(all), all);
  EXPECT_EQ(OwnedOf<Heap<OneLeafEntry>>(all), all / 2);
}

// No address depends on a slot, so no stream can tell; the table can. 22 arenas
// were live at most: 16 records do not do, 32 do.
TEST(RequestTrap, RecordsOfReleasedArenasNotUsedAgain) {
  EXPECT_EQ((CaughtBy<Heap<SlotsNotReused>, Heap<Cpython38>>()) & kStream2, 0);
  const auto records = []<class H>(std::in_place_type_t<H>) {
    return RunGoldenStream<H>(2, 0).before_drain.arena_record_bytes /
           sizeof(ArenaRecord);
  };
  EXPECT_EQ(records(std::in_place_type<Heap<Cpython38>>), 32u);
  EXPECT_EQ(records(std::in_place_type<Heap<SlotsNotReused>>), 256u)
      << "165 arenas were created";
}

// 33 bytes in a block of 48: the last 15 stay as they were.
template <class H>
bool CallocLeavesTheTail() {
  H heap{HeapOptions{}};
  heap.Allocate(16);  // or the arena would be released and come back as zeros
  void* block = heap.Allocate(48);
  std::memset(block, 0xAA, 48);
  heap.Free(block);
  const auto* again = static_cast<unsigned char*>(heap.AllocateZeroed(3, 11));
  EXPECT_EQ(again, block);
  EXPECT_EQ(again[32], 0);
  return again[33] == 0xAA && again[47] == 0xAA;
}

TEST(RequestTrap, CallocThatZeroesMoreThanWasAskedFor) {
  EXPECT_TRUE(CallocLeavesTheTail<Heap<Cpython38>>());
  EXPECT_FALSE(CallocLeavesTheTail<Heap<ZeroesTheBlock>>());
}

TEST(RequestTrap, UnlinkingFromTheMiddleThatDisturbsTheOrder) {
  EXPECT_NE((CaughtBy<Heap<UnlinksRoughly>, Heap<Cpython38>>()), 0);
}

// What interpreters printed before the drains (golden_test.cc).
bool IsGolden38(int stream, const Statistics& s) {
  if (stream == 1)
    return s.allocated_bytes == 2992976 && s.available_bytes == 261120 &&
           s.unused_pools == 61 && s.pool_header_bytes == 40080;
  return s.allocated_bytes == 2096 && s.available_bytes == 33568 &&
         s.unused_pools == 375 && s.pool_header_bytes == 432;
}
template <class H>
int GoldenStreams() {
  int streams = 0;
  for (int stream : {1, 2})
    streams += IsGolden38(stream, RunGoldenStream<H>(stream, 0).before_drain);
  return streams;
}

TEST(RequestTrap, StatisticsThatCountPoolsElsewhere) {
  EXPECT_EQ(GoldenStreams<Heap<Cpython38>>(), 2);
  EXPECT_LT(GoldenStreams<Heap<EmptyPoolsAsRows>>(), 2);
  EXPECT_LT(GoldenStreams<Heap<NoVirginPools>>(), 2);
}

TEST(RequestTrap, StatisticsWithoutTheLostPoolOfAnArena) {
  EXPECT_EQ(
      RunGoldenStream<Heap<Cpython311>>(2, 1).before_drain.alignment_bytes,
      81920u);
  EXPECT_NE(
      RunGoldenStream<Heap<NoAlignment>>(2, 1).before_drain.alignment_bytes,
      81920u);
}

// The walk with which they miscount is right where nothing is put wrong.
TEST(RequestTrap, TheWalkWithNothingWrongIsNotCaught) {
  LoggedArenas arenas(0, nullptr);
  HeapOptions options;
  options.arena_source = arenas.source();
  Heap<Cpython38> heap(options);
  std::vector<void*> slots(kStreamSlots, nullptr);
  RunStream(2, 0, heap, slots, [](void*) {});
  EXPECT_TRUE(IsGolden38(2, Counted(heap, Miscount::kNothing)));
  for (void* slot : slots) heap.Free(slot);
}

}  // namespace
}  // namespace arenalab
