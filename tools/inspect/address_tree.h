// The radix tree in which 3.10 and later look an address up, found from an
// arena that must be in it. Its nodes are never given back, so it remembers
// more than the arenas that are left.
//
//   root[..] ──► mid[..] ──► bottom[..] = (hi, lo)   one entry an arena, or two
//
//   release   address bits   root entries   mid      bottom
//   3.10      48             1024           1024     256
//   3.11+     64             32768          32768    16384   (8192 with 2 MiB)
//
// An arena at `base` has hi = -1, or base % arena where that is not 0.
//
// SOURCE: arena_map_t of Objects/obmalloc.c (3.10), pycore_obmalloc.h (3.12).
#pragma once

#include <cstdint>
#include <optional>

#include "allocators/pymalloc/geometry.h"
#include "tools/inspect/allocator_state.h"

namespace arenalab {

struct AddressTree {
  int address_bits = 64;
  std::uint64_t root = 0;  // its address
  std::uint64_t root_bytes = 0;
  std::uint64_t mid_nodes = 0;
  std::uint64_t mid_bytes = 0;
  std::uint64_t bottom_nodes = 0;
  std::uint64_t bottom_bytes = 0;
};

// nullopt if there is none near the state: a release before 3.10.
std::optional<AddressTree> FindAddressTree(TargetMemory& memory,
                                           const AllocatorState& state,
                                           const GeometryValues& geometry);

}  // namespace arenalab
