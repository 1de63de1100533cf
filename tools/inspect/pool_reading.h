// One pool as its bytes tell it, which may be torn: the target runs on while it
// is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "allocators/pymalloc/pool.h"

namespace arenalab {

// What a header of a pool with this geometry must look like, empty or not:
// a class that exists, offsets on block boundaries that go with it, no more
// live blocks than fit, links that are pools and a free block of this pool.
bool IsPoolHeader(const PoolHeader& header, std::uint64_t base,
                  const GeometryValues& geometry);

struct PoolReading {
  PoolHeader header;
  std::size_t block_bytes = 0;
  std::size_t blocks = 0;         // that fit
  std::size_t carved_blocks = 0;  // below next_offset
  std::vector<bool> is_live;      // by block; carved and not on the free list
};

// nullopt if the pool's invariants P2, P5 or P6 (allocators/pymalloc/pool.h) do
// not hold: it was changed while it was read, or is no pool. `bytes` are the
// pool_bytes at `base`. Bounded: a free list that does not end is refused.
std::optional<PoolReading> ReadPool(const unsigned char* bytes,
                                    std::uint64_t base,
                                    const GeometryValues& geometry);

}  // namespace arenalab
