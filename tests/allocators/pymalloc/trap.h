// What the trap tests share: a generation that is wrong in one way, and which
// of the golden streams tell it from the right one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "allocators/pymalloc/generation.h"
#include "tests/allocators/pymalloc/golden_stream.h"

namespace arenalab {

// A generation with one value changed.
template <class G>
struct Trap {
  static constexpr std::string_view kName = "trap";
  static constexpr GeometryValues kGeometry = G::kGeometry;
  static constexpr PolicyValues kPolicy = G::kPolicy;
};

template <class H>
std::uint64_t HashOf(int stream, int placement, std::size_t fill = 0) {
  return RunGoldenStream<H>(stream, placement, fill).log.hash();
}

// Which of the golden streams tell the two apart, as bits: 1, 2, 4.
template <class Wrong, class Right>
int CaughtBy(int placement = 0) {
  const GeometryValues g = Right(HeapOptions{}).geometry();
  const std::size_t fill =
      PoolsPerArena(g) * BlocksPerPool(g, ClassOf(g, g.max_small_bytes));
  int caught = 0;
  for (int stream : {1, 2, 3})
    if (HashOf<Wrong>(stream, placement, fill) !=
        HashOf<Right>(stream, placement, fill))
      caught |= 1 << (stream - 1);
  return caught;
}
inline constexpr int kStream1 = 1, kStream2 = 2, kStream3 = 4;

}  // namespace arenalab
