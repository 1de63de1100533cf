// Greedy grouping; contract in mesh.h.
#include "tools/replay/mesh.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

namespace arenalab {
namespace {

bool Overlap(const std::uint64_t* a, const std::uint64_t* b,
             std::size_t words) {
  for (std::size_t i = 0; i < words; ++i) {
    if ((a[i] & b[i]) != 0) return true;
  }
  return false;
}

}  // namespace

std::size_t MeshedPools(std::span<const std::uint64_t> live, std::size_t words,
                        std::size_t most) {
  const std::size_t pools = live.size() / words;
  std::vector<std::uint32_t> blocks(pools);
  for (std::size_t pool = 0; pool < pools; ++pool) {
    for (const std::uint64_t word : live.subspan(pool * words, words))
      blocks[pool] += static_cast<std::uint32_t>(std::popcount(word));
  }
  std::vector<std::size_t> order(pools);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {},
                           [&](std::size_t pool) { return blocks[pool]; });

  std::vector<std::uint64_t> masks;  // of the groups that have room
  std::vector<std::size_t> members;
  std::size_t groups = 0;
  for (const std::size_t pool : order) {
    const std::uint64_t* bits = live.data() + pool * words;
    const std::size_t probes = std::min(members.size(), kMeshProbes);
    std::size_t found = 0;
    while (found < probes && Overlap(&masks[found * words], bits, words))
      ++found;
    if (found == probes) {
      ++groups;
      if (most == 1) continue;
      masks.insert(masks.end(), bits, bits + words);
      members.push_back(1);
      continue;
    }
    for (std::size_t i = 0; i < words; ++i) masks[found * words + i] |= bits[i];
    if (++members[found] < most) continue;
    // Full: the last takes its place.
    members[found] = members.back();
    members.pop_back();
    std::copy(masks.end() - static_cast<std::ptrdiff_t>(words), masks.end(),
              masks.begin() + static_cast<std::ptrdiff_t>(found * words));
    masks.resize(masks.size() - words);
  }
  return groups;
}

}  // namespace arenalab
