// Follows the lists that ReadHeap() has no need of; contract in heap_imaging.h.
#include "tools/inspect/heap_imaging.h"

#include <cstring>
#include <unordered_map>

#include "tools/inspect/pool_reading.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

[[noreturn]] void Torn(const char* what, std::uint64_t where) {
  char text[192];
  std::snprintf(text, sizeof(text),
                "the heap changed while it was read (%s, at %#llx): --freeze "
                "stops the process for it",
                what, static_cast<unsigned long long>(where));
  throw TornHeap(text);
}

class Imaging {
 public:
  Imaging(TargetMemory& memory, const AllocatorState& state,
          const GeometryValues& geometry,
          const std::function<void(const LiveBlock&)>& visit)
      : memory_(memory), state_(state), geometry_(geometry), visit_(visit) {}

  HeapImage Read() {
    image_.arena_bytes = geometry_.arena_bytes;
    image_.pool_bytes = geometry_.pool_bytes;
    image_.alignment = geometry_.alignment;
    image_.max_small_bytes = geometry_.max_small_bytes;
    image_.slots = state_.slots;
    image_.arenas_created = state_.arenas_created;
    image_.arenas_high_water = state_.arenas_high_water;
    for (const FoundArena& arena : state_.arenas) ReadArena(arena);
    ReadSlots();
    OrderUsed();
    return std::move(image_);
  }

 private:
  struct UsedPool {
    std::uint32_t place;
    std::uint32_t size_class;
    std::uint64_t next;
    std::uint64_t prev;
  };

  void ReadArena(const FoundArena& found) {
    ArenaImage arena;
    arena.slot = found.index;
    arena.base = found.record.base;
    const std::uint64_t first = FirstPool(geometry_, arena.base);
    arena.total_pools = static_cast<std::uint32_t>(
        (arena.base + geometry_.arena_bytes - first) / geometry_.pool_bytes);
    if (found.record.total_pools != arena.total_pools ||
        found.record.next_virgin_pool < first ||
        found.record.next_virgin_pool >
            first + arena.total_pools * geometry_.pool_bytes)
      Torn("an arena's record", arena.base);
    arena.carved_pools = static_cast<std::uint32_t>(
        (found.record.next_virgin_pool - first) / geometry_.pool_bytes);

    const std::uint64_t begin = first & ~(kPageBytes - 1);
    const std::uint64_t end = first + arena.total_pools * geometry_.pool_bytes;
    bytes_.resize((end - begin + kPageBytes - 1) & ~(kPageBytes - 1));
    memory_.ReadContent(begin, begin + bytes_.size(), bytes_.data());
    std::vector<std::uint64_t> next_free(arena.carved_pools);
    for (std::uint32_t i = 0; i < arena.carved_pools; ++i) {
      const std::uint64_t pool = first + i * geometry_.pool_bytes;
      next_free[i] =
          ReadPoolAt(bytes_.data() + (pool - begin), pool, found.index);
    }
    for (std::uint64_t at = found.record.free_list; at != 0;) {
      const std::uint64_t number = (at - first) / geometry_.pool_bytes;
      if (at < first || (at - first) % geometry_.pool_bytes != 0 ||
          number >= arena.carved_pools ||
          arena.free_pools.size() >= arena.carved_pools)
        Torn("the list of empty pools", at);
      arena.free_pools.push_back(static_cast<std::uint32_t>(number));
      at = next_free[number];
    }
    if (arena.free_pools.size() + arena.total_pools - arena.carved_pools !=
        found.record.free_pools)
      Torn("the count of free pools", arena.base);
    image_.arenas.push_back(std::move(arena));
  }

  // The header's `next`.
  std::uint64_t ReadPoolAt(const unsigned char* bytes, std::uint64_t base,
                           std::uint32_t slot) {
    PoolHeader header;
    std::memcpy(&header, bytes, sizeof(header));
    PoolImage pool;
    if (header.size_class == kNoClass) {
      pool.size_class = static_cast<std::uint32_t>(geometry_.classes);
      image_.pools.push_back(pool);
      return header.next;
    }
    const auto reading = ReadPool(bytes, base, geometry_);
    if (!reading || header.arena_index != slot) Torn("a pool", base);
    pool.size_class = header.size_class;
    pool.live_blocks = static_cast<std::uint32_t>(header.live_blocks);
    pool.carved_blocks = static_cast<std::uint32_t>(reading->carved_blocks);
    pool.free_blocks = pool.carved_blocks - pool.live_blocks;
    for (std::uint64_t block = header.free_list; block != 0;) {
      const std::uint64_t offset = block - base;
      image_.free_blocks.push_back(static_cast<std::uint16_t>(
          (offset - geometry_.header_bytes) / reading->block_bytes));
      std::memcpy(&block, bytes + offset, sizeof(block));
    }
    if (pool.live_blocks > 0 && pool.live_blocks < reading->blocks)
      used_[base] = {static_cast<std::uint32_t>(image_.pools.size()),
                     pool.size_class, header.next, header.prev};
    image_.pools.push_back(pool);
    if (visit_)
      for (std::size_t i = 0; i < reading->is_live.size(); ++i) {
        if (!reading->is_live[i]) continue;
        const std::uint64_t offset =
            geometry_.header_bytes + i * reading->block_bytes;
        visit_({base + offset, bytes + offset, reading->block_bytes,
                header.size_class, image_.arenas.size()});
      }
    return header.next;
  }

  // The usable and the unused list, through the records.
  void ReadSlots() {
    std::vector<ArenaRecord> records(state_.slots);
    const std::size_t bytes = records.size() * sizeof(ArenaRecord);
    if (memory_.Read(state_.records, records.data(), bytes) != bytes)
      Torn("the array of records", state_.records);
    std::vector<std::uint32_t> place(state_.slots);
    for (std::size_t i = 0; i < image_.arenas.size(); ++i)
      place[image_.arenas[i].slot] = static_cast<std::uint32_t>(i);
    const auto walk = [&](std::uint64_t at, bool with_arena, auto&& add) {
      for (std::uint32_t steps = 0; at != 0; ++steps) {
        const std::uint64_t slot = (at - state_.records) / sizeof(ArenaRecord);
        if (at < state_.records || slot >= state_.slots ||
            steps >= state_.slots || (records[slot].base != 0) != with_arena)
          Torn("a list of records", at);
        add(static_cast<std::uint32_t>(slot));
        at = AddressOf(records[slot].next);
      }
    };
    walk(state_.usable, true,
         [&](std::uint32_t slot) { image_.usable.push_back(place[slot]); });
    walk(state_.unused, false,
         [&](std::uint32_t slot) { image_.unused_slots.push_back(slot); });
  }

  // From each pool that no used pool stands before.
  void OrderUsed() {
    image_.used.resize(geometry_.classes);
    for (const auto& [base, first] : used_) {
      if (used_.count(first.prev) != 0) continue;
      std::vector<std::uint32_t>& list = image_.used[first.size_class];
      if (!list.empty()) Torn("a class's list of pools", base);
      for (auto at = used_.find(base);
           at != used_.end() && list.size() <= used_.size();
           at = used_.find(at->second.next)) {
        if (at->second.size_class != first.size_class)
          Torn("a class's list of pools", at->first);
        list.push_back(at->second.place);
      }
    }
    std::size_t listed = 0;
    for (const auto& list : image_.used) listed += list.size();
    if (listed != used_.size()) Torn("the lists of pools", state_.address);
  }

  TargetMemory& memory_;
  const AllocatorState& state_;
  const GeometryValues& geometry_;
  const std::function<void(const LiveBlock&)>& visit_;
  HeapImage image_;
  std::unordered_map<std::uint64_t, UsedPool> used_;  // by address
  std::vector<unsigned char> bytes_;
};

// By the rules that hold for an image in a file: none is written that cannot
// be read. A slot that is between two lists is found here.
void CheckWhole(const HeapImage& image, std::uint64_t where) {
  std::vector<std::uint8_t> bytes;
  EncodeHeapImage(image, &bytes);
  try {
    DecodeHeapImages(bytes, "heap");
  } catch (const InputError& error) {
    Torn(error.what(), where);
  }
}

}  // namespace

HeapImage ReadHeapImage(TargetMemory& memory, const AllocatorState& state,
                        const GeometryValues& geometry,
                        const std::function<void(const LiveBlock&)>& visit) {
  HeapImage image = Imaging(memory, state, geometry, visit).Read();
  CheckWhole(image, state.address);
  return image;
}

}  // namespace arenalab
