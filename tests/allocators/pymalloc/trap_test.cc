// The golden addresses catch the mistakes that are easy to make.
//
// Each trap is a heap that differs from its generation in one plausible way: a
// value of its policy, or one rule put wrong in a heap that wraps the real one.
// For each the test names a stream whose address log differs. Mistakes in the
// order of arenas are in arena_trap_test.cc.
#include "tests/allocators/pymalloc/trap.h"

#include <gtest/gtest.h>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_members.h"

namespace arenalab {
namespace {

TEST(Trap, NoneIsCaughtWhereNothingIsWrong) {
  EXPECT_EQ((CaughtBy<Heap<Trap<Cpython39>>, Heap<Cpython39>>()), 0);
  EXPECT_EQ((CaughtBy<Heap<Trap<Cpython311>>, Heap<Cpython311>>(1)), 0);
}

// --- Values of another generation -------------------------------------------

struct KeepRuleIn38 : Trap<Cpython38> {
  static constexpr PolicyValues kPolicy = Cpython39::kPolicy;
};
TEST(Trap, KeepRuleGivenTo38) {
  EXPECT_EQ((CaughtBy<Heap<KeepRuleIn38>, Heap<Cpython38>>()),
            kStream1 | kStream2 | kStream3);
}

struct EightByteClassesIn374 : Trap<Cpython374> {
  static constexpr GeometryValues kGeometry = Classic::kGeometry;
};
TEST(Trap, EightByteClassesGivenTo374) {
  EXPECT_EQ((CaughtBy<Heap<EightByteClassesIn374>, Heap<Cpython374>>()) &
                (kStream1 | kStream2),
            kStream1 | kStream2);
}

struct Threshold256InClassic : Trap<Classic> {
  static constexpr GeometryValues kGeometry = Cpython25::kGeometry;
};
TEST(Trap, Threshold256GivenToClassic) {
  EXPECT_NE((CaughtBy<Heap<Threshold256InClassic>, Heap<Classic>>()) & kStream1,
            0);
}

struct TakeOverIn242 : Trap<Cpython242> {
  static constexpr PolicyValues kPolicy = Cpython23::kPolicy;
};
TEST(Trap, RawBlocksComeBackIn242) {
  EXPECT_EQ((CaughtBy<Heap<TakeOverIn242>, Heap<Cpython242>>()), kStream1);
}

struct PerArenaListsIn23 : Trap<Cpython23> {
  static constexpr PolicyValues kPolicy = {.realloc_takes_over = true};
};
TEST(Trap, EmptyPoolsOfEachArenaApartIn23) {
  EXPECT_NE((CaughtBy<Heap<PerArenaListsIn23>, Heap<Cpython23>>()) & kStream2,
            0);
}

struct SmallPoolsIn311 : Trap<Cpython311> {
  static constexpr GeometryValues kGeometry =
      MakeGeometry(1 * kMiB, 4 * kKiB, 16, 512);
};
TEST(Trap, FourKiBPoolsGivenTo311) {
  EXPECT_NE((CaughtBy<Heap<SmallPoolsIn311>, Heap<Cpython311>>()) & kStream1,
            0);
}

// --- Other orders -----------------------------------------------------------

struct KeepsTwo : Trap<Cpython39> {
  static constexpr PolicyValues kPolicy = [] {
    PolicyValues policy = Cpython39::kPolicy;
    policy.keep_arenas = 2;
    return policy;
  }();
};
TEST(Trap, TwoWhollyFreeArenasKept) {
  EXPECT_NE((CaughtBy<Heap<KeepsTwo>, Heap<Cpython39>>()) & kStream2, 0);
}

// One policy value of 3.8 changed.
#define ARENALAB_TRAP_POLICY(name, field, value) \
  struct name : Trap<Cpython38> {                \
    static constexpr PolicyValues kPolicy = [] { \
      PolicyValues policy = Cpython38::kPolicy;  \
      policy.field = value;                      \
      return policy;                             \
    }();                                         \
  }

ARENALAB_TRAP_POLICY(ArenasByAddress, arena_choice, ArenaChoice::kAddress);
ARENALAB_TRAP_POLICY(ArenasByRecency, arena_choice, ArenaChoice::kRecent);
ARENALAB_TRAP_POLICY(EmptiestArena, arena_choice, ArenaChoice::kEmptiest);
ARENALAB_TRAP_POLICY(PoolsByAddress, pool_choice, PoolChoice::kAddress);
ARENALAB_TRAP_POLICY(FullestPool, pool_choice, PoolChoice::kFullest);
ARENALAB_TRAP_POLICY(BlocksByAddress, free_list, FreeList::kAddress);

TEST(Trap, AnyOtherOrderOfArenasPoolsOrBlocks) {
  EXPECT_NE((CaughtBy<Heap<ArenasByAddress>, Heap<Cpython38>>()), 0);
  EXPECT_NE((CaughtBy<Heap<ArenasByRecency>, Heap<Cpython38>>()), 0);
  EXPECT_NE((CaughtBy<Heap<EmptiestArena>, Heap<Cpython38>>()), 0);
  EXPECT_NE((CaughtBy<Heap<PoolsByAddress>, Heap<Cpython38>>()), 0);
  EXPECT_NE((CaughtBy<Heap<FullestPool>, Heap<Cpython38>>()), 0);
  EXPECT_NE((CaughtBy<Heap<BlocksByAddress>, Heap<Cpython38>>()), 0);
}

// --- One rule of the heap put wrong -----------------------------------------
//
// Members of Heap specialised for a trap's own generation: the rest of the heap
// is the real one, and the wrong rule is spelled out here.

struct LazyVirginBlock : Trap<Cpython38> {};   // trap 2
struct FullSeenLate : Trap<Cpython38> {};      // trap 3
struct PoolsMoveOnFree : Trap<Cpython38> {};   // trap 1
struct FullToTheBack : Trap<Cpython38> {};     // trap 1
struct ForgetsItsClass : Trap<Cpython38> {};   // trap 4
struct VirginPoolsFirst : Trap<Cpython39> {};  // trap 5
struct HeaderOf56Bytes : Trap<Cpython38> {     // trap 10
  static constexpr GeometryValues kGeometry = [] {
    GeometryValues g = Cpython38::kGeometry;
    g.header_bytes = 64;
    return g;
  }();
};
struct FreesBeforeMalloc : Trap<Cpython38> {};   // trap 11
struct KeepsThreeQuarters : Trap<Cpython38> {};  // trap 11: 4n >= 3s
struct RawFromClassOf512 : Trap<Cpython38> {     // trap 12
  static constexpr GeometryValues kGeometry =
      MakeGeometry(256 * kKiB, 4 * kKiB, 16, 496);
};

}  // namespace

// Trap 2: a block is carved when it is needed. A pool may be used and have an
// empty free list.
template <>
inline void* Heap<LazyVirginBlock>::PopFront(std::uint32_t size_class) {
  PoolHeader* pool = PoolAt(PoolAt(Sentinel(size_class))->next);
  if (AddressOf(pool) == Sentinel(size_class)) return nullptr;
  ++pool->live_blocks;
  std::uint64_t block = pool->free_list;
  if (block != 0) {
    pool->free_list = LinkAt(block);
  } else {
    block = AddressOf(pool) + pool->next_offset;
    pool->next_offset += BlockSize(geometry(), size_class);
  }
  if (pool->free_list == 0 && pool->next_offset > pool->max_next_offset) {
    PoolAt(pool->next)->prev = pool->prev;
    PoolAt(pool->prev)->next = pool->next;
  }
  return reinterpret_cast<void*>(block);
}
template <>
void* Heap<LazyVirginBlock>::TakeFromNewPool(std::uint32_t size_class) {
  PoolHeader* pool = TakeFreePool();
  PushUsed(pool, size_class);
  pool->live_blocks = 0;
  if (pool->size_class != size_class) {
    pool->size_class = size_class;
    pool->max_next_offset = static_cast<std::uint32_t>(
        geometry().pool_bytes - BlockSize(geometry(), size_class));
    pool->next_offset = static_cast<std::uint32_t>(geometry().header_bytes);
    pool->free_list = 0;
  }
  return PopFront(size_class);
}
template <>
void Heap<LazyVirginBlock>::ReturnBlock(void* p, PoolHeader* pool) {
  const bool was_full =
      pool->free_list == 0 && pool->next_offset > pool->max_next_offset;
  LinkAt(AddressOf(p)) = pool->free_list;
  pool->free_list = AddressOf(p);
  --pool->live_blocks;
  if (was_full) return PushUsed(pool, pool->size_class);
  if (pool->live_blocks == 0) PoolBecameEmpty(pool);
}

// Trap 3: a pool is seen to be full by the request that finds nothing in it,
// not when its last block is handed out. (prev == 0: it is in no list.)
template <>
void* Heap<FullSeenLate>::Refill(PoolHeader* pool, std::uint64_t block) {
  if (pool->next_offset <= pool->max_next_offset) {
    pool->free_list = AddressOf(pool) + pool->next_offset;
    pool->next_offset += BlockSize(geometry(), pool->size_class);
    LinkAt(pool->free_list) = 0;
  }
  return reinterpret_cast<void*>(block);
}
template <>
inline void* Heap<FullSeenLate>::PopFront(std::uint32_t size_class) {
  for (;;) {
    PoolHeader* pool = PoolAt(PoolAt(Sentinel(size_class))->next);
    if (AddressOf(pool) == Sentinel(size_class)) return nullptr;
    const std::uint64_t block = pool->free_list;
    if (block != 0) {
      ++pool->live_blocks;
      pool->free_list = LinkAt(block);
      return pool->free_list != 0 ? reinterpret_cast<void*>(block)
                                  : Refill(pool, block);
    }
    PoolAt(pool->next)->prev = pool->prev;
    PoolAt(pool->prev)->next = pool->next;
    pool->prev = 0;
  }
}
template <>
void Heap<FullSeenLate>::ReturnBlock(void* p, PoolHeader* pool) {
  LinkAt(AddressOf(p)) = pool->free_list;
  pool->free_list = AddressOf(p);
  --pool->live_blocks;
  if (pool->prev == 0) return PushUsed(pool, pool->size_class);
  if (pool->live_blocks == 0) PoolBecameEmpty(pool);
}

// Trap 1: a pool that gets a block back moves to the front.
template <>
void Heap<PoolsMoveOnFree>::ReturnBlock(void* p, PoolHeader* pool) {
  const std::uint64_t old = pool->free_list;
  LinkAt(AddressOf(p)) = old;
  pool->free_list = AddressOf(p);
  --pool->live_blocks;
  if (old != 0) {
    if (pool->live_blocks == 0) return PoolBecameEmpty(pool);
    PoolAt(pool->next)->prev = pool->prev;
    PoolAt(pool->prev)->next = pool->next;
  }
  PushUsed(pool, pool->size_class);
}

// Trap 1: a full pool that gets a block back goes behind the others.
template <>
void Heap<FullToTheBack>::PushUsed(PoolHeader* pool, std::size_t list) {
  LinkUsed(pool, PoolAt(Sentinel(list))->prev);
}

// Trap 4: an empty pool is set up anew even for the class it had.
template <>
void Heap<ForgetsItsClass>::PoolBecameEmpty(PoolHeader* pool) {
  PoolAt(pool->next)->prev = pool->prev;
  PoolAt(pool->prev)->next = pool->next;
  pool->size_class = kNoClass;
  ArenaRecord* arena = &records_[pool->arena_index];
  pool->next = arena->free_list;
  arena->free_list = AddressOf(pool);
  if (usable_.PoolReturned(arena, policy())) ReleaseArena(arena);
}

// Trap 5: virgin pools of the front arena before its empty ones.
template <>
PoolHeader* Heap<VirginPoolsFirst>::TakeFreePool() {
  ArenaRecord* arena = usable_.front();
  if (arena == nullptr) {
    arena = AcquireArena();
    usable_.AddOnly(arena, policy());
  }
  usable_.PoolTaken(policy());
  if (arena->next_virgin_pool < arena->base + geometry().arena_bytes)
    return CarvePool(arena);
  PoolHeader* pool = PoolAt(arena->free_list);
  arena->free_list = pool->next;
  return pool;
}

// Trap 11: the old block is freed first, so the new one may take its place.
template <>
void* Heap<FreesBeforeMalloc>::Reallocate(void* p, std::size_t bytes) noexcept {
  PoolHeader* pool = PoolOf(p);
  if (!OwnsInPool(p, pool)) return ReallocateRaw(p, bytes);
  const std::size_t size = BlockSize(geometry(), pool->size_class);
  if (bytes <= size && 4 * bytes > 3 * size) return p;
  ReturnBlock(p, pool);
  return Allocate(bytes);
}

// Trap 11: "at least three quarters" instead of more.
template <>
void* Heap<KeepsThreeQuarters>::Reallocate(void* p,
                                           std::size_t bytes) noexcept {
  PoolHeader* pool = PoolOf(p);
  if (!OwnsInPool(p, pool)) return ReallocateRaw(p, bytes);
  const std::size_t size = BlockSize(geometry(), pool->size_class);
  if (bytes <= size && 4 * bytes >= 3 * size) return p;
  void* moved = Allocate(bytes);
  ReturnBlock(p, pool);
  return moved;
}

namespace {

// Not a trap after all: the block linked ahead is always the last of its list,
// so addresses are the same. What differs is which words, and so which pages,
// are written: that is untouched_memory_test's.
TEST(Trap, VirginBlockCarvedAtNeedGivesTheSameAddresses) {
  EXPECT_EQ((CaughtBy<Heap<LazyVirginBlock>, Heap<Cpython38>>()), 0);
  HeapOptions options;
  Heap<LazyVirginBlock> lazy(options);
  Heap<Cpython38> eager(options);
  EXPECT_EQ(LinkAt(AddressOf(lazy.Allocate(64)) - 48 + 8), 0u);
  EXPECT_NE(LinkAt(AddressOf(eager.Allocate(64)) - 48 + 8), 0u);
}
TEST(Trap, FullPoolSeenByTheNextRequest) {
  EXPECT_NE((CaughtBy<Heap<FullSeenLate>, Heap<Cpython38>>()) & kStream1, 0);
}
TEST(Trap, PoolsThatMoveOnAnOrdinaryFree) {
  EXPECT_NE((CaughtBy<Heap<PoolsMoveOnFree>, Heap<Cpython38>>()) & kStream1, 0);
}
TEST(Trap, FullPoolsThatComeBackBehind) {
  EXPECT_NE((CaughtBy<Heap<FullToTheBack>, Heap<Cpython38>>()) & kStream1, 0);
}
TEST(Trap, EmptyPoolsThatForgetTheirClass) {
  EXPECT_NE((CaughtBy<Heap<ForgetsItsClass>, Heap<Cpython38>>()) & kStream2, 0);
}
TEST(Trap, VirginPoolsBeforeEmptyOnes) {
  EXPECT_EQ((CaughtBy<Heap<VirginPoolsFirst>, Heap<Cpython39>>()),
            kStream1 | kStream2 | kStream3);
}
TEST(Trap, HeaderRoundedUpTo64) {
  EXPECT_EQ((CaughtBy<Heap<HeaderOf56Bytes>, Heap<Cpython38>>()),
            kStream1 | kStream2 | kStream3);
}
TEST(Trap, ReallocThatFreesFirst) {
  EXPECT_EQ((CaughtBy<Heap<FreesBeforeMalloc>, Heap<Cpython38>>()), kStream1);
}
TEST(Trap, ReallocThatStaysAtExactlyThreeQuarters) {
  EXPECT_EQ((CaughtBy<Heap<KeepsThreeQuarters>, Heap<Cpython38>>()), kStream1);
}
TEST(Trap, LargestClassMissing) {
  EXPECT_NE((CaughtBy<Heap<RawFromClassOf512>, Heap<Cpython38>>()) & kStream1,
            0);
}

}  // namespace
}  // namespace arenalab
