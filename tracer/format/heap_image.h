// One pymalloc heap's books at a moment: everything that decides which address
// each further request gets. It opens a trace that starts in the middle of a
// program, and is what `arenalab inspect PID -o heap.snap` writes. Its bytes
// are ../TRACE_FORMAT.md's, section HEAP.
//
//   arenas[ ]   in the order of their slots ──► pools[ ]   carved, by address
//                                                 └──► free_blocks[ ]
//
// What a heap's lists hold is told by places in these arrays, first the one
// that is taken next. Pools that are full are in no list, as in CPython.
//
// Plain data; units are bytes unless they say otherwise. A decoded image keeps
// the format's bounds (every place exists, no list holds one twice, counts add
// up), so that who makes a heap of it need not check again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace arenalab {

struct PoolImage {
  std::uint32_t size_class = 0;   // = classes(): carved, never set up
  std::uint32_t live_blocks = 0;  // of it, 0: it is free
  std::uint32_t carved_blocks = 0;
  std::uint32_t free_blocks = 0;  // on its list: so many of the image's

  friend bool operator==(const PoolImage&, const PoolImage&) = default;
};

struct ArenaImage {
  std::uint32_t slot = 0;  // of its record, and in its pools' headers
  std::uint32_t total_pools = 0;
  std::uint32_t carved_pools = 0;  // so many of the image's
  std::uint64_t base = 0;          // as it was acquired
  // Its list of empty pools: numbers of pools in the arena.
  std::vector<std::uint32_t> free_pools;

  friend bool operator==(const ArenaImage&, const ArenaImage&) = default;
};

struct HeapImage {
  std::uint32_t state = 0;  // as in events: the interpreter's, or 0
  std::uint64_t arena_bytes = 0;
  std::uint64_t pool_bytes = 0;
  std::uint64_t alignment = 0;
  std::uint64_t max_small_bytes = 0;
  std::uint32_t slots = 0;  // of the array of records
  std::uint64_t arenas_created = 0;
  std::uint64_t arenas_high_water = 0;

  std::vector<ArenaImage> arenas;
  std::vector<PoolImage> pools;
  std::vector<std::uint16_t> free_blocks;  // numbers of blocks in their pool
  // Lists. Of arenas with a free pool: places in `arenas`.
  std::vector<std::uint32_t> usable;
  std::vector<std::uint32_t> unused_slots;
  // By class, pools with some blocks out but not all: places in `pools`.
  std::vector<std::vector<std::uint32_t>> used;

  std::size_t classes() const { return max_small_bytes / alignment; }
  std::size_t block_bytes(std::size_t size_class) const {
    return (size_class + 1) * alignment;
  }
  // Of struct pool_header, rounded up to the alignment.
  std::size_t header_bytes() const {
    return (kHeaderBytes + alignment - 1) / alignment * alignment;
  }
  std::size_t blocks_per_pool(std::size_t size_class) const {
    return (pool_bytes - header_bytes()) / block_bytes(size_class);
  }
  std::uint64_t first_pool(const ArenaImage& arena) const {
    return (arena.base + pool_bytes - 1) / pool_bytes * pool_bytes;
  }
  std::uint64_t live_blocks() const;

  // Calls visit(address, block_bytes) for each live block: arenas by slot,
  // pools and blocks by address.
  template <class Visitor>
  void VisitLiveBlocks(Visitor&& visit) const {
    std::size_t pool = 0, free = 0;
    std::vector<bool> is_free;
    for (const ArenaImage& arena : arenas)
      for (std::uint32_t i = 0; i < arena.carved_pools; ++i, ++pool) {
        const PoolImage& p = pools[pool];
        is_free.assign(p.carved_blocks, false);
        for (std::uint32_t f = 0; f < p.free_blocks; ++f)
          is_free[free_blocks[free++]] = true;
        const std::uint64_t blocks =
            first_pool(arena) + i * pool_bytes + header_bytes();
        for (std::uint32_t b = 0; b < p.carved_blocks; ++b)
          if (!is_free[b])
            visit(blocks + b * block_bytes(p.size_class),
                  block_bytes(p.size_class));
      }
  }

  friend bool operator==(const HeapImage&, const HeapImage&) = default;

  static constexpr std::size_t kHeaderBytes = 48;
};

// What lives in an image's live blocks, in the order of VisitLiveBlocks().
struct BlockTypes {
  std::vector<std::string> names;    // "" is no object, or none that was told
  std::vector<std::uint32_t> types;  // by live block: a place in `names`

  friend bool operator==(const BlockTypes&, const BlockTypes&) = default;
};

// Appends to `out`. Several images may follow each other.
void EncodeHeapImage(const HeapImage& image, std::vector<std::uint8_t>* out);
void EncodeBlockTypes(const BlockTypes& types, std::vector<std::uint8_t>* out);

// Decodes all of `bytes`. Throws InputError, which begins with `where`, if they
// are no such images or one contradicts itself.
std::vector<HeapImage> DecodeHeapImages(std::span<const std::uint8_t> bytes,
                                        const std::string& where);
// One for each of `images`.
std::vector<BlockTypes> DecodeBlockTypes(std::span<const std::uint8_t> bytes,
                                         const std::vector<HeapImage>& images,
                                         const std::string& where);

}  // namespace arenalab
