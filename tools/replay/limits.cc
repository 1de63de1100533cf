// Rounding up, and two formulas.
#include "tools/replay/limits.h"

#include <bit>

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

std::uint64_t Robson(std::uint64_t max_small_bytes_live) {
  if (max_small_bytes_live == 0) return 0;
  constexpr std::uint64_t kLargest = 512;
  constexpr std::uint64_t kLog2 = std::bit_width(kLargest) - 1;
  const std::uint64_t most = std::bit_ceil(max_small_bytes_live);
  // Twice, as log2(n) / 2 need not be whole.
  const std::uint64_t twice = most * (kLog2 + 2);
  const std::uint64_t bound = twice / 2;
  // Less than one largest block of live bytes needs no more than itself.
  return bound < kLargest ? most : bound - kLargest + 1;
}

std::optional<double> GapClosed(std::uint64_t base, std::uint64_t now,
                                std::uint64_t limit) {
  if (base <= limit) return std::nullopt;
  return (static_cast<double>(base) - static_cast<double>(now)) /
         static_cast<double>(base - limit);
}

}  // namespace arenalab
