// Where a real interpreter put every block, as a file of 64-bit words in the
// machine's byte order, in the order in which things happened:
//
//   bits 62-63   bits 32-61   bits 0-31
//   kBlock       arena        offset from the arena's base
//   kRaw         0            0           a block that lies in no arena
//   kAcquired    arena        0           before the block that needed it
//   kReleased    arena        0
//
// One block word a request that returns a block (malloc, calloc, aligned,
// realloc), none for a free. Arenas count from 0, over the whole run.
//
// The native worker writes it to the file that kPlacementLogVariable names;
// whoever started the worker reads it.
#pragma once

#include <cstdint>

namespace arenalab {

inline constexpr char kPlacementLogVariable[] = "ARENALAB_PLACEMENT_LOG";
// Bases of arenas modulo the pool size, a digit an arena: arenas.h.
inline constexpr char kArenaOffsetsVariable[] = "ARENALAB_ARENA_OFFSETS";

enum class PlacementKind : std::uint64_t { kBlock, kRaw, kAcquired, kReleased };

constexpr std::uint64_t PlacementWord(PlacementKind kind, std::uint64_t arena,
                                      std::uint64_t offset) {
  return static_cast<std::uint64_t>(kind) << 62 | arena << 32 | offset;
}
constexpr PlacementKind KindOfPlacement(std::uint64_t word) {
  return static_cast<PlacementKind>(word >> 62);
}
constexpr std::uint64_t ArenaOfPlacement(std::uint64_t word) {
  return word >> 32 & 0x3fffffff;
}
constexpr std::uint64_t OffsetOfPlacement(std::uint64_t word) {
  return word & 0xffffffff;
}

}  // namespace arenalab
