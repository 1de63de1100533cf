// Rounding up, three times.
#include "tools/replay/limits.h"

#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

std::uint64_t RoundUp(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

std::uint64_t PageLoad(std::uint64_t requested_bytes,
                       std::uint64_t page_bytes) {
  return RoundUp(requested_bytes, page_bytes);
}

std::uint64_t ClassRepack(const GeometryValues& geometry,
                          const std::vector<std::uint32_t>& used_blocks) {
  std::uint64_t bytes = 0;
  for (std::size_t c = 0; c < used_blocks.size(); ++c) {
    const std::uint64_t capacity = BlocksPerPool(geometry, c);
    bytes += RoundUp(used_blocks[c], capacity) / capacity * geometry.pool_bytes;
  }
  return bytes;
}

std::uint64_t ClassRepackArenas(const GeometryValues& geometry,
                                std::uint64_t class_repack_bytes) {
  return RoundUp(class_repack_bytes, geometry.arena_bytes);
}

}  // namespace arenalab
