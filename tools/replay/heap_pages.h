// What of the clone's arenas could go without any block moving, at one moment,
// and what meshing could share.
//
//   free pools      pools of held arenas without a live block
//   free pages      OS pages of held arenas in which neither a live block nor
//                   the header of a pool with one lies; free pools' included
//   committed       those of them that were ever written: what madvise would
//                   really give back. (The rest costs nothing.)
//   meshed          mesh.h over the pools with a live block, class by class, in
//                   bytes; pool headers are thought to lie elsewhere
//
// To give back a free page inside a pool an allocator would have to find its
// free blocks without their links; for a free pool it would not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/pymalloc/geometry.h"
#include "tools/replay/arena_region.h"
#include "tools/replay/committed.h"
#include "tools/replay/pool_map.h"

namespace arenalab {

struct PagePotential {
  std::uint64_t free_pools_bytes = 0;
  std::uint64_t free_pages_bytes = 0;
  std::uint64_t free_pools_committed_bytes = 0;
  std::uint64_t free_pages_committed_bytes = 0;
};

PagePotential PagePotentialOf(const GeometryValues& geometry,
                              const ArenaRegion& region, const PoolMap& map,
                              const CommittedPages& committed,
                              std::size_t page_bytes);

// `most` pools may share one's memory.
std::uint64_t MeshedBytes(const GeometryValues& geometry,
                          const ArenaRegion& region, const PoolMap& map,
                          std::size_t most);

}  // namespace arenalab
