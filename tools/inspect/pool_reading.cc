// Checks a pool's header against its geometry and follows its free list.
#include "tools/inspect/pool_reading.h"

#include <cstring>

#include "allocators/pymalloc/size_class.h"

namespace arenalab {

bool IsPoolHeader(const PoolHeader& header, std::uint64_t base,
                  const GeometryValues& geometry) {
  if (header.size_class >= geometry.classes) return false;
  const std::size_t block = BlockSize(geometry, header.size_class);
  const std::size_t first = geometry.header_bytes;
  return header.max_next_offset == geometry.pool_bytes - block &&
         header.next_offset >= first + block &&
         header.next_offset <= geometry.pool_bytes &&
         (header.next_offset - first) % block == 0 &&
         header.live_blocks <= BlocksPerPool(geometry, header.size_class) &&
         (header.free_list == 0 ||
          (header.free_list >= base + first &&
           header.free_list < base + header.next_offset &&
           (header.free_list - base - first) % block == 0)) &&
         header.next % 8 == 0;
}

std::optional<PoolReading> ReadPool(const unsigned char* bytes,
                                    std::uint64_t base,
                                    const GeometryValues& geometry) {
  PoolReading pool;
  std::memcpy(&pool.header, bytes, sizeof(PoolHeader));
  if (!IsPoolHeader(pool.header, base, geometry)) return std::nullopt;
  const std::size_t first = geometry.header_bytes;
  pool.block_bytes = BlockSize(geometry, pool.header.size_class);
  pool.blocks = BlocksPerPool(geometry, pool.header.size_class);
  pool.carved_blocks = (pool.header.next_offset - first) / pool.block_bytes;
  pool.is_live.assign(pool.carved_blocks, true);
  std::size_t free_blocks = 0;
  for (std::uint64_t block = pool.header.free_list; block != 0;) {
    const std::uint64_t offset = block - base;
    if (block < base + first || offset >= pool.header.next_offset ||
        (offset - first) % pool.block_bytes != 0)
      return std::nullopt;
    const std::size_t index = (offset - first) / pool.block_bytes;
    if (!pool.is_live[index]) return std::nullopt;  // twice: it has no end
    pool.is_live[index] = false;
    ++free_blocks;
    std::memcpy(&block, bytes + offset, sizeof(block));
  }
  if (pool.header.live_blocks + free_blocks != pool.carved_blocks)
    return std::nullopt;
  return pool;
}

}  // namespace arenalab
