// What no allocator, or no pymalloc, can hold less than (measuring.md's rows of
// physical limits, per sample).
//
//   load                 R: nothing, even compacting, holds less
//   page load            R in whole pages
//   class repack         sum over classes of ceil(live blocks / capacity)
//   pools:
//                        a pymalloc that compacts within each class
//   class repack arenas  the same in whole arenas, as pymalloc must hold them
#pragma once

#include <cstdint>
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

}  // namespace arenalab
