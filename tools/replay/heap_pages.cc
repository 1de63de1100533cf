// Walks over the pools; contract in heap_pages.h.
#include "tools/replay/heap_pages.h"

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "allocators/pymalloc/arena_record.h"
#include "allocators/pymalloc/pool.h"
#include "allocators/pymalloc/size_class.h"
#include "tools/replay/mesh.h"

namespace arenalab {
namespace {

// visit(base, live bits) for each pool of the arenas that are held.
template <class Visit>
void VisitPools(const GeometryValues& geometry, const ArenaRegion& region,
                const PoolMap& map, Visit visit) {
  for (const ArenaRegion::Arena& arena : region.slots()) {
    if (arena.base == 0) continue;
    const std::uint64_t end = arena.base + geometry.arena_bytes;
    for (std::uint64_t pool = FirstPool(geometry, arena.base);
         pool + geometry.pool_bytes <= end; pool += geometry.pool_bytes) {
      visit(pool, map.LiveBits(pool));
    }
  }
}

bool IsLive(std::span<const std::uint64_t> bits) {
  return std::ranges::any_of(bits,
                             [](std::uint64_t word) { return word != 0; });
}

}  // namespace

PagePotential PagePotentialOf(const GeometryValues& geometry,
                              const ArenaRegion& region, const PoolMap& map,
                              const CommittedPages& committed,
                              std::size_t page_bytes) {
  PagePotential potential;
  // A page may be larger than a pool: count by the smaller of the two.
  const std::size_t step = std::min(page_bytes, geometry.pool_bytes);
  std::vector<bool> used(geometry.pool_bytes / step);
  VisitPools(
      geometry, region, map,
      [&](std::uint64_t pool, std::span<const std::uint64_t> bits) {
        const bool live = IsLive(bits);
        std::fill(used.begin(), used.end(), false);
        if (live) {
          used[0] = true;  // the header
          const std::size_t block =
              BlockSize(geometry, PoolAt(pool)->size_class);
          for (std::size_t word = 0; word < bits.size(); ++word) {
            for (std::uint64_t left = bits[word]; left != 0; left &= left - 1) {
              const std::size_t at = (word * 64 + static_cast<std::size_t>(
                                                      std::countr_zero(left))) *
                                     geometry.alignment;
              for (std::size_t i = at / step; i <= (at + block - 1) / step; ++i)
                used[i] = true;
            }
          }
        } else {
          potential.free_pools_bytes += geometry.pool_bytes;
        }
        for (std::size_t i = 0; i < used.size(); ++i) {
          if (used[i]) continue;
          potential.free_pages_bytes += step;
          if (!committed.Written(pool + i * step)) continue;
          potential.free_pages_committed_bytes += step;
          if (!live) potential.free_pools_committed_bytes += step;
        }
      });
  return potential;
}

std::uint64_t MeshedBytes(const GeometryValues& geometry,
                          const ArenaRegion& region, const PoolMap& map,
                          std::size_t most) {
  std::vector<std::vector<std::uint64_t>> live(geometry.classes);
  std::size_t words = 1;
  VisitPools(geometry, region, map,
             [&](std::uint64_t pool, std::span<const std::uint64_t> bits) {
               if (!IsLive(bits)) return;
               words = bits.size();
               std::vector<std::uint64_t>& of_class =
                   live[PoolAt(pool)->size_class];
               of_class.insert(of_class.end(), bits.begin(), bits.end());
             });
  std::uint64_t bytes = 0;
  for (const std::vector<std::uint64_t>& of_class : live)
    bytes += MeshedPools(of_class, words, most) * geometry.pool_bytes;
  return bytes;
}

}  // namespace arenalab
