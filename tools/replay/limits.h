// What no allocator, or no pymalloc, can hold less than (measuring.md's rows of
// physical limits, per sample).
//
//   load                 R: nothing, even compacting, holds less
//   page load            R in whole pages
//   class repack         sum over classes of ceil(live blocks / capacity)
//   pools:
//                        a pymalloc that compacts within each class
//   class repack arenas  the same in whole arenas, as pymalloc must hold them
//   Robson               M (log2(n) / 2 + 1) - n + 1 with n = 512 bytes, the
//                        largest small request, and M = the largest R_small,
//                        rounded up to a power of two: there is a program
//                        within M that makes any allocator that does not move
//                        blocks need that much (Robson, JACM 1974). A worst
//                        case: to be set beside Johnstone-Wilson 4 alone
//   gap closed           (base - new) / (base - limit): 0 as much as the base,
//                        1 at the limit, below 0 worse than the base
//
// Two more have files of their own: mesh.h, oracle.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "allocators/pymalloc/geometry.h"

namespace arenalab {

std::uint64_t PageLoad(std::uint64_t requested_bytes, std::uint64_t page_bytes);

// used_blocks by class.
std::uint64_t ClassRepack(const GeometryValues& geometry,
                          const std::vector<std::uint32_t>& used_blocks);

// `class_repack_bytes`: whole pools, as ClassRepack() gives them.
std::uint64_t ClassRepackArenas(const GeometryValues& geometry,
                                std::uint64_t class_repack_bytes);

// Of the largest live small bytes; 0 for 0.
std::uint64_t Robson(std::uint64_t max_small_bytes_live);

// nullopt where the base is not above the limit: there is no gap.
std::optional<double> GapClosed(std::uint64_t base, std::uint64_t now,
                                std::uint64_t limit);

}  // namespace arenalab
