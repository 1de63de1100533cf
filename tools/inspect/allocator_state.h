// Where an interpreter keeps its books of pymalloc, found without symbols.
//
// Every release since 2.5 keeps these words side by side, in this order, in the
// reverse, or with parts exchanged (the compiler's choice), and from 3.8 on
// with the fingers between:
//
//   arenas   max    unused   usable   [nfp2lasta: 65]   live   created   high
//     |     16<<k     \________ /                       number of arenas
//     |                pointers to records
//     v
//   ArenaRecord[max]                   (allocators/pymalloc/arena.h)
//
// They vouch for each other: `max` is 16 doubled, the pointers lie on records
// of the array, `live` is how many records have an arena, and live <= high <=
// created. So they are found wherever they are: static data up to 3.11 and of
// 3.13's main interpreter, inside the interpreter in 3.12, on the C library's
// heap for isolated interpreters.
//
// SOURCE: struct _obmalloc_mgmt of 3.12 (pycore_obmalloc.h) and the static
// variables of Objects/obmalloc.c before.
#pragma once

#include <cstdint>
#include <vector>

#include "allocators/pymalloc/arena.h"
#include "tools/inspect/target_memory.h"

namespace arenalab {

struct FoundArena {
  std::uint32_t index = 0;  // in the array, as in its pools' headers
  ArenaRecord record;       // its pointers are addresses of the target
};

struct AllocatorState {
  std::uint64_t address = 0;  // of the word that points to the array
  std::uint64_t records = 0;  // address of the array
  std::uint32_t slots = 0;
  // Records: the first arena with a free pool, the first without an arena; 0:
  // there is none.
  std::uint64_t usable = 0;
  std::uint64_t unused = 0;
  int layout = 0;  // which of the orders above
  // Found by pool headers (header_search.h): there are no records.
  bool by_headers = false;
  std::uint64_t arenas_created = 0;
  std::uint64_t arenas_high_water = 0;
  std::vector<FoundArena> arenas;  // those that are live, in array order
};

// All states, ascending by address; those without a live arena are left out.
// Time is linear in the target's writable memory that has content.
std::vector<AllocatorState> FindAllocatorStates(TargetMemory& memory);

// What a state that was found is now. False if it is none any more.
bool ReadAgain(TargetMemory& memory, AllocatorState* state);

}  // namespace arenalab
