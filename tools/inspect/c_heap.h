// The C library's heaps: which part of them is live, and which is free but
// still held.
//
// glibc lays chunks side by side, each with its size in front; the lowest bit
// of the next one's size says whether this one is in use. The main heap begins
// where [heap] begins, the heaps of other threads at multiples of 64 MiB with
// a record of their own. A walk is believed only if it ends exactly where the
// heap ends. Chunks that a thread keeps for itself (tcache, fastbins) look
// live: "live" is an upper bound, and so is what is free a lower one.
//
// SOURCE: malloc/malloc.c and malloc/arena.c of glibc 2.17 to 2.36.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/inspect/target_memory.h"

namespace arenalab {

struct CHeap {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_main = false;
  std::uint64_t arena = 0;  // address of its arena's record; 0: the main one
  bool walked = false;      // else all of it is live as far as is known
  std::uint64_t free_chunks = 0;
  std::uint64_t present_live_bytes = 0;  // of pages that are in memory
  std::uint64_t present_free_bytes = 0;
  // Of these, in pages without a live byte: what malloc_trim(0) gives back.
  std::uint64_t trimmable_bytes = 0;
};

// One of the C library's arenas: threads share one, heaps belong to one.
struct CArena {
  std::uint64_t arena = 0;  // address of its record; 0: the main one
  std::uint64_t heaps = 0;
  std::uint64_t held_bytes = 0;  // of address space
  std::uint64_t live_bytes = 0;  // in memory, as in CHeap
  std::uint64_t free_bytes = 0;
  std::uint64_t trimmable_bytes = 0;
};

// Most in memory first.
std::vector<CArena> ArenasOf(const std::vector<CHeap>& heaps);

// Ascending. Reads every chunk's head: time is linear in the heaps' pages.
std::vector<CHeap> FindCHeaps(TargetMemory& memory);

// The size of the block of its own mapping that begins at `address`, header
// included, or 0 if none does. REQUIRES: a whole page with content.
std::uint64_t MappedChunkBytes(TargetMemory& memory, std::uint64_t address);

}  // namespace arenalab
