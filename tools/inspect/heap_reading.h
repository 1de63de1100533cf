// One pymalloc heap read from outside: CPython's own statistics of it, and what
// each arena holds.
//
// A running target changes while it is read. A pool whose header, free list and
// count do not agree is read again, up to kTries times; what stays torn is
// counted and left out, so sums over a running target may miss single pools.
// Over a target that stands still they are exact.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "allocators/pymalloc/statistics.h"
#include "tools/inspect/address_tree.h"
#include "tools/inspect/allocator_state.h"
#include "tools/inspect/pool_reading.h"
#include "tools/inspect/target_memory.h"

namespace arenalab {

inline constexpr int kTries = 4;

// Bytes, blocks and pools of one arena. live + free blocks + headers + tails +
// free_pools * pool_bytes + lost == arena_bytes, torn pools counting as free.
struct ArenaReading {
  std::uint64_t base = 0;
  std::uint64_t live_blocks = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t free_block_bytes = 0;
  std::uint64_t header_bytes = 0;
  std::uint64_t tail_bytes = 0;
  std::uint64_t used_pools = 0;
  std::uint64_t free_pools = 0;  // empty or never carved
  std::uint64_t torn_pools = 0;
  std::uint64_t lost_bytes = 0;  // by the alignment of its base
  // OS pages: in memory; of these, without a byte of a live block or of the
  // header of a pool that has one.
  std::uint64_t present_pages = 0;
  std::uint64_t idle_pages = 0;
  std::uint64_t swapped_pages = 0;
  // In pages that are in memory.
  std::uint64_t present_live_bytes = 0;
  std::uint64_t present_header_bytes = 0;
};

struct HeapReading {
  std::uint64_t state = 0;  // address of the interpreter's records
  GeometryValues geometry{};
  PolicyValues policy{};
  Statistics statistics;
  std::optional<AddressTree> tree;
  std::vector<ArenaReading> arenas;
  std::uint64_t torn_pools = 0;
  std::uint64_t pools_read_again = 0;
};

// A live block, its bytes and where it is: `arena` is its place in
// HeapReading::arenas.
struct LiveBlock {
  std::uint64_t address;
  const unsigned char* bytes;
  std::size_t block_bytes;
  std::uint32_t size_class;
  std::size_t arena;
};

// The sizes that agree with the pools of the state's arenas, or nullopt: the
// state is no state, or its arenas are gone.
std::optional<GeometryValues> DecideGeometry(TargetMemory& memory,
                                             const AllocatorState& state);

// Calls `visit` for each live block, arena by arena, ascending in each, and
// `arena_read` after each arena: the bytes of its blocks are valid until then.
HeapReading ReadHeap(TargetMemory& memory, const AllocatorState& state,
                     const GeometryValues& geometry,
                     const std::function<void(const LiveBlock&)>& visit,
                     const std::function<void()>& arena_read = {});

}  // namespace arenalab
