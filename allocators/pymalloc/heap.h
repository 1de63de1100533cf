// pymalloc: CPython's small-object allocator, rule for rule, on real memory.
//
// Requests of 1 to max_small_bytes are served from pools, which are cut from
// arenas, which come from HeapOptions::arena_source. Everything else, and what
// no arena could be had for, goes to raw_source. README.md tells the life of
// one block; FIDELITY.md says where this is CPython and where it is not.
//
// A GENERATION G is a struct (generation.h):
//   static constexpr std::string_view kName;
//   static constexpr GeometryValues kGeometry;
//   static constexpr PolicyValues kPolicy;
//
// MEMORY. The heap writes its headers and links into the arenas exactly where
// and when CPython does, and nothing else there (pool.h, P4): the pages that
// are resident are those that would be resident under Python.
//
// OWNERSHIP. The heap owns its arenas and tables; the destructor gives all of
// them back, live blocks or not. Raw blocks are the caller's.
// THREADS. One at a time, as under the GIL. ERRORS. nullptr, never an
// exception; a failing arena or metadata source leaves the heap as it was.
//
// Members are defined in heap_members.h (and what it includes), which heap.cc
// instantiates for every generation: callers make one direct call
// (allocators/allocator.h). Code that brings a generation of its own includes
// heap_members.h too.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "allocators/allocator.h"
#include "allocators/pymalloc/arena.h"
#include "allocators/pymalloc/arena_decay.h"
#include "allocators/pymalloc/arena_map.h"
#include "allocators/pymalloc/geometry.h"
#include "allocators/pymalloc/policy.h"
#include "allocators/pymalloc/pool.h"
#include "allocators/pymalloc/size_class.h"
#include "allocators/pymalloc/statistics.h"
#include "allocators/request_hint.h"

namespace arenalab {

// The values of G as the heap reads them: constants, unless a specialization
// holds values read at run time.
template <class G>
struct GenerationValues {
  static constexpr std::size_t kMaxPools = PoolsPerArena(G::kGeometry);
  static constexpr std::size_t kMaxClasses = G::kGeometry.classes;
  static constexpr std::uint32_t kMaxLanes = LanesOf(G::kPolicy.lanes);

  explicit GenerationValues(std::string_view) {}
  static constexpr const GeometryValues& geometry() { return G::kGeometry; }
  static constexpr const PolicyValues& policy() { return G::kPolicy; }
  static constexpr RadixShape radix_shape() {
    return MakeRadixShape(G::kPolicy.address_bits,
                          std::countr_zero(G::kGeometry.arena_bytes));
  }
};

// One arena, as a walk shows it.
struct ArenaView {
  std::uint64_t base;  // as the arena source returned it
  std::uint64_t first_pool;
  std::uint32_t index;         // of its record: PoolHeader::arena_index
  std::uint32_t total_pools;   // that fit behind `base`
  std::uint32_t carved_pools;  // headers written so far, from first_pool on
  std::uint32_t free_pools;    // never carved, or without a live block
};

template <class G>
class Heap {
 public:
  using Generation = G;
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kMany;
  static constexpr std::string_view kName = G::kName;

  // What is wrong with HeapOptions::settings, in words; nullptr if nothing. A
  // generation with constant values has no settings and no such member.
  // (A template only so that clang leaves it alone where it is not one.)
  template <class V = GenerationValues<G>>
  static const char* CheckSettings(
      std::string_view settings) requires requires {
    V::CheckSettings(settings);
  }
  { return V::CheckSettings(settings); }

  // REQUIRES: CheckSettings() finds nothing wrong, where it exists.
  explicit Heap(const HeapOptions& options);
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  void* Allocate(std::size_t bytes) noexcept;
  void* AllocateZeroed(std::size_t count, std::size_t bytes) noexcept;
  void* AllocateAligned(std::size_t alignment, std::size_t bytes) noexcept;
  void* Reallocate(void* p, std::size_t bytes) noexcept;
  void Free(void* p) noexcept;
  // The size of the block's class; what the raw source says for others.
  std::size_t UsableSize(void* p) const noexcept;
  HeapSnapshot Snapshot() const noexcept;

  // The same for a caller that knows more of the request: its block comes from
  // the lane that policy().lanes says (lane.h). Without lanes, and without a
  // hint, there is lane 0 only. A block that stays in place keeps its lane.
  void* AllocateHinted(std::size_t bytes, const RequestHint& hint) noexcept;
  void* AllocateZeroedHinted(std::size_t count, std::size_t bytes,
                             const RequestHint& hint) noexcept;
  void* ReallocateHinted(void* p, std::size_t bytes,
                         const RequestHint& hint) noexcept;

  // The address test: does `p` lie in one of this heap's arenas? Exact for
  // addresses that a caller may hold. With AddressTest::kPoolIndex it reads the
  // word at the pool's header of any address, as CPython <= 3.9 does, so `p`
  // must lie in mapped memory.
  bool Owns(const void* p) const noexcept;

  const GeometryValues& geometry() const { return values_.geometry(); }
  const PolicyValues& policy() const { return values_.policy(); }

  // Walks. They allocate nothing; the heap must not be used meanwhile.
  //   visit(const ArenaView&)       live arenas, in order of their slots
  //   visit(const PoolHeader&)      carved pools of an arena, by address,
  //                                 empty ones too; its address is the pool's
  template <class Visitor>
  void VisitArenas(Visitor&& visit) const {
    for (std::uint32_t i = 0; i < records_.size(); ++i)
      if (records_[i].base != 0) visit(ViewOf(i));
  }
  template <class Visitor>
  void VisitPools(const ArenaView& arena, Visitor&& visit) const {
    for (std::uint32_t i = 0; i < arena.carved_pools; ++i)
      visit(static_cast<const PoolHeader&>(
          *PoolAt(arena.first_pool + i * geometry().pool_bytes)));
  }
  // The used lists of a class, each with its front (where allocation looks)
  // first, lane by lane.
  template <class Visitor>
  void VisitUsedPools(std::size_t size_class, Visitor&& visit) const {
    for (std::uint32_t lane = 0; lane < LanesOf(policy().lanes); ++lane) {
      const std::uint64_t end = Sentinel(ListOf(lane, size_class));
      for (std::uint64_t pool = PoolAt(end)->next; pool != end;
           pool = PoolAt(pool)->next)
        visit(static_cast<const PoolHeader&>(*PoolAt(pool)));
    }
  }

  Statistics ComputeStatistics() const noexcept;

 private:
  template <class AnyG>
  friend class HeapInside;  // heap_check.h and its tests

  using Values = GenerationValues<G>;

  // The head of a used list is a pool header of which only two words exist,
  // next and prev, at the place where a header would have them: CPython's own
  // trick, and half the cache lines. It is read and written through PoolAt()
  // only. Were its words members of another struct, the compiler could take a
  // store to PoolHeader::next for one that cannot change a list's head.
  std::uint64_t Sentinel(std::size_t list) const {
    return AddressOf(&used_[2 * list]) - offsetof(PoolHeader, next);
  }
  // The number of a used list.
  static std::size_t ListOf(std::uint32_t lane, std::size_t size_class) {
    if constexpr (Values::kMaxLanes == 1) return size_class;
    return lane * Values::kMaxClasses + size_class;
  }
  PoolHeader* PoolOf(const void* p) const {
    return PoolAt(AddressOf(p) & ~(geometry().pool_bytes - 1));
  }
  RadixShape radix_shape() const { return values_.radix_shape(); }

  bool OwnsInPool(const void* p, const PoolHeader* pool) const;
  void* TakeBlock(std::size_t bytes);
  void ReturnBlock(void* p, PoolHeader* pool);
  void* PopFront(std::uint32_t size_class);
  void* AllocateFromNewPool(std::size_t bytes);
  void* Refill(PoolHeader* pool, std::uint64_t block);
  void* TakeFromNewPool(std::uint32_t size_class);
  PoolHeader* TakeFreePool();
  PoolHeader* TakeFreePoolOfOneList();
  PoolHeader* CarvePool(ArenaRecord* arena);
  ArenaRecord* AcquireArena();
  void ReleaseArena(ArenaRecord* arena);
  void PushUsed(PoolHeader* pool, std::size_t list);
  void LinkUsed(PoolHeader* pool, std::uint64_t left);
  void LinkFreeInOrder(PoolHeader* pool, std::uint64_t block);
  void SortUsed(PoolHeader* pool);
  void ReleaseExpired();
  void DiscardPages(PoolHeader* pool);
  void PoolBecameEmpty(PoolHeader* pool);
  void* AllocateRaw(std::size_t bytes);
  void* ReallocateRaw(void* p, std::size_t bytes);
  ArenaView ViewOf(std::uint32_t index) const;

  [[no_unique_address]] Values values_;
  std::array<std::uint64_t, 2 * Values::kMaxClasses * Values::kMaxLanes> used_;
  ArenaMap map_;
  ArenaRecords records_;
  UsableArenas<Values::kMaxPools> usable_;
  // EmptyPools::kOneList: the list, and the one arena that is being carved.
  std::uint64_t free_pools_ = 0;
  std::uint32_t carving_ = 0;
  std::uint32_t uncarved_pools_ = 0;

  // The lane of the request that is being served.
  std::uint32_t lane_ = 0;

  std::uint64_t raw_blocks_ = 0;
  std::uint64_t arenas_created_ = 0;
  std::uint64_t arenas_live_ = 0;
  std::uint64_t arenas_high_water_ = 0;

  ArenaSource arena_source_;
  RawSource raw_source_;
  RawSource metadata_source_;

  // PolicyValues::decay_bytes: what is kept, and the clock.
  DecayingArenas decaying_;
  std::uint64_t block_bytes_asked_ = 0;
};

}  // namespace arenalab
