// The mesh bound: pools of one class whose live blocks do not overlap can share
// their pages (Powers, Tench, Berger, McGregor: Mesh, PLDI 2019). Nothing moves
// in the program's addresses; several pools are mapped on one piece of memory.
//
//   pool 1   | x . . . x . |
//   pool 2   | . x . . . . |   share        3 pools, 2 pieces
//   pool 3   | x . x . . . |   not with 1, with 2 it would be
//
// Greedy: pools in the order of their live blocks, fewest first; each joins the
// first group with room that it does not overlap, of at most kMeshProbes that
// it looks at. So it is a bound of what meshing could do, from above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace arenalab {

inline constexpr std::size_t kMeshProbes = 4096;

// How many pieces of memory the pools of one class need where up to `most`
// share one. `live` has one bit for each place of a block, `words` a pool.
std::size_t MeshedPools(std::span<const std::uint64_t> live, std::size_t words,
                        std::size_t most);

}  // namespace arenalab
