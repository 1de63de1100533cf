// A pool: one pool-aligned piece of an arena, cut into equal-sized blocks.
//
//   base                                                    base + pool_bytes
//   | PoolHeader | block | block | block | block | block | ... | tail |
//                    ^ free_list             ^ next_offset       never used,
//                    freed blocks, threaded  blocks from here    < one block
//                    through their own       on have never
//                    first word              been written to
//
// Follows `struct pool_header` of CPython. Links are addresses in 64-bit
// fields.
//
// STATES                                 linked from           live_blocks
//   used    some blocks out, not all     the class's used list  1 .. n-1
//   full    every block out              nothing                n
//   empty   no block out                 a free-pool list       0
//
//                       last block taken
//     carved ---> used ---------------------> full
//                 |  ^ <---------------------
//      last block |  |    a block freed
//           freed v  |
//                empty    (taken again, for any class)
//
// INVARIANTS. CheckHeap() (heap_check.h) asserts these by number; its test has
// one case per number.
//   P1  base % pool_bytes == 0, so the pool of a block is one mask away.
//   P2  live + on the free list + not yet carved == capacity.
//   P3  used => the free list is not empty (a fast-path pop never has to ask).
//   P4  no byte at or past next_offset has been written. One block is linked
//       ahead of need when the list runs empty, as in CPython, never more:
//       carving ahead would commit pages that CPython leaves untouched.
//   P5  every block on the free list lies in its pool, on a block boundary,
//       below next_offset, and is there once.
//   P6  next_offset is a block boundary and at most one past the last block;
//       max_next_offset == pool_bytes - block size.
//
// P4 cannot be seen from inside a running heap; untouched_memory_test.cc
// watches it over memory that was filled with a pattern beforehand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/geometry.h"

namespace arenalab {

struct PoolHeader {
  std::uint64_t live_blocks;  // CPython: ref.count
  std::uint64_t free_list;    //          freeblock; 0 in a full pool
  std::uint64_t next;         //          nextpool: used list or free-pool list
  std::uint64_t prev;         //          prevpool: used list only
  std::uint32_t arena_index;  //          arenaindex
  std::uint16_t size_class;   //          szidx; survives emptiness
  std::uint16_t lane;  // (lane.h) always 0 in CPython: szidx's upper half
  std::uint32_t next_offset;      //          nextoffset, from base, in bytes
  std::uint32_t max_next_offset;  //      maxnextoffset
};
static_assert(sizeof(PoolHeader) == kPoolHeaderBytes,
              "as in CPython, or a pool would hold another number of blocks");
static_assert(offsetof(PoolHeader, arena_index) == 32,
              "the address test reads it from foreign memory");

inline PoolHeader* PoolAt(std::uint64_t address) {
  return reinterpret_cast<PoolHeader*>(address);
}
inline std::uint64_t AddressOf(const void* p) {
  return reinterpret_cast<std::uint64_t>(p);
}
// The word of a free block that holds the address of the next one.
inline std::uint64_t& LinkAt(std::uint64_t block) {
  return *reinterpret_cast<std::uint64_t*>(block);
}

// Calls `visit(block address)` for each block on the pool's free list, in list
// order. A corrupted list may not end: heap_check.h bounds it.
template <class Visitor>
void VisitFreeBlocks(const PoolHeader& pool, Visitor&& visit) {
  for (std::uint64_t block = pool.free_list; block != 0; block = LinkAt(block))
    visit(block);
}

}  // namespace arenalab
