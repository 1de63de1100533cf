// Encoding the changes; RESULTS.md, "MAP".
#include "tools/replay/pool_map.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "allocators/pymalloc/arena.h"
#include "allocators/pymalloc/pool.h"
#include "allocators/pymalloc/size_class.h"

namespace arenalab {
PoolMap::PoolMap(const GeometryValues& geometry, const ArenaRegion& region,
                 std::size_t samples, std::size_t budget_bytes)
    : geometry_(geometry),
      region_(region),
      granule_shift_(std::countr_zero(geometry.alignment)),
      word_shift_(granule_shift_ + 6),
      pool_shift_(std::countr_zero(geometry.pool_bytes)),
      live_(region.bytes() >> word_shift_),
      told_(region.bytes() >> word_shift_),
      told_class_(region.bytes() >> pool_shift_),
      dirty_(region.bytes() >> pool_shift_),
      samples_(samples),
      budget_bytes_(budget_bytes) {}

void PoolMap::ArenaAcquired(std::size_t slot) {
  if (slot >= told_arena_.size()) told_arena_.resize(slot + 1);
}

void PoolMap::ArenaReleased(std::size_t slot, std::uint64_t ordinal) {
  if (!told_arena_[slot]) return;
  told_arena_[slot] = false;
  released_.push_back({ordinal, 1, 0});
  // The next arena in this slot starts from nothing.
  const std::size_t begin = slot * region_.slot_bytes();
  const std::size_t end = begin + region_.slot_bytes();
  for (std::size_t i = begin >> word_shift_; i < end >> word_shift_; ++i)
    told_[i] = 0;
  for (std::size_t i = begin >> pool_shift_; i < end >> pool_shift_; ++i)
    told_class_[i] = 0;
}

void PoolMap::Sample(bool always) {
  const std::size_t number = next_++;
  if (!always && number % stride_ != 0) {
    gzip_.Append(std::string_view("\0\0\0", 3));  // nothing, three times
    return;
  }
  told_samples_.push_back(number);
  AppendArenas();
  const std::vector<DirtyPool> pools = TakeDirtyPools();
  AppendPools(pools);
  AppendBlocks(pools);
  gzip_.Append(raw_);
  raw_.clear();
  // A quarter of the budget at once, the rest as samples pass. More than that:
  // half as often from here on.
  const std::size_t share =
      budget_bytes_ / 4 +
      budget_bytes_ / 4 * 3 * next_ / std::max<std::size_t>(samples_, 1);
  if (gzip_.bytes() > share) stride_ *= 2;
}

std::string PoolMap::Encode() { return Base64(gzip_.Finish()); }

void PoolMap::AppendArenas() {
  std::vector<ArenaChange> changes = std::exchange(released_, {});
  for (std::size_t slot = 0; slot < told_arena_.size(); ++slot) {
    const ArenaRegion::Arena& arena = region_.slots()[slot];
    if (told_arena_[slot] || arena.base == 0) continue;
    told_arena_[slot] = true;
    changes.push_back(
        {arena.ordinal, 0, arena.base & (geometry_.pool_bytes - 1)});
  }
  std::sort(changes.begin(), changes.end(),
            [](const ArenaChange& a, const ArenaChange& b) {
              return a.ordinal < b.ordinal;
            });
  AppendVarint(changes.size());
  for (const ArenaChange& change : changes) {
    AppendVarint(change.ordinal);
    AppendVarint(change.kind);
    AppendVarint(change.offset);
  }
}

std::vector<PoolMap::DirtyPool> PoolMap::TakeDirtyPools() {
  std::vector<DirtyPool> pools;
  pools.reserve(dirty_pools_.size());
  for (const std::size_t pool : dirty_pools_) {
    dirty_[pool] = 0;
    const std::uint64_t address =
        region_.begin() + (std::uint64_t{pool} << pool_shift_);
    const ArenaRegion::Arena& arena = region_.slots()[region_.SlotOf(address)];
    if (arena.base == 0) continue;  // gone, and its blocks before it
    const std::uint64_t index =
        (address - FirstPool(geometry_, arena.base)) >> pool_shift_;
    // A pool of an arena released earlier in the slot may lie outside this one.
    if (index >= PoolsPerArena(geometry_)) continue;
    pools.push_back({arena.ordinal * PoolsPerArena(geometry_) + index, pool});
  }
  dirty_pools_.clear();
  std::sort(pools.begin(), pools.end(),
            [](const DirtyPool& a, const DirtyPool& b) {
              return a.number < b.number;
            });
  return pools;
}

void PoolMap::AppendPools(const std::vector<DirtyPool>& pools) {
  struct Change {
    std::uint64_t number;
    std::uint8_t size_class;
  };
  std::vector<Change> changes;
  for (const DirtyPool& dirty : pools) {
    const std::size_t first = dirty.pool * WordsPerPool();
    bool any = false;
    for (std::size_t i = 0; i < WordsPerPool(); ++i)
      any = any || live_[first + i] != 0;
    std::uint8_t size_class = 0;
    if (any) {
      const PoolHeader* header =
          PoolAt(region_.begin() + (std::uint64_t{dirty.pool} << pool_shift_));
      size_class = static_cast<std::uint8_t>(header->size_class + 1);
    }
    if (size_class == told_class_[dirty.pool]) continue;
    told_class_[dirty.pool] = size_class;
    for (std::size_t i = 0; i < WordsPerPool(); ++i) told_[first + i] = 0;
    changes.push_back({dirty.number, size_class});
  }
  AppendVarint(changes.size());
  std::uint64_t last = 0;
  for (const Change& change : changes) {
    AppendVarint(change.number - std::exchange(last, change.number));
    AppendVarint(change.size_class);
  }
}

void PoolMap::AppendBlocks(const std::vector<DirtyPool>& pools) {
  std::string list;
  std::uint64_t count = 0;
  std::uint64_t last_pool = 0;
  std::vector<std::uint64_t> blocks;
  std::swap(list, raw_);  // the pools' entries wait for their number
  for (const DirtyPool& dirty : pools) {
    if (told_class_[dirty.pool] == 0) continue;
    const std::size_t block_bytes =
        BlockSize(geometry_, told_class_[dirty.pool] - 1u);
    const std::size_t first = dirty.pool * WordsPerPool();
    blocks.clear();
    for (std::size_t i = 0; i < WordsPerPool(); ++i) {
      std::uint64_t changed = live_[first + i] ^ told_[first + i];
      told_[first + i] = live_[first + i];
      for (; changed != 0; changed &= changed - 1) {
        const std::size_t offset =
            (i * 64 + static_cast<std::size_t>(std::countr_zero(changed)))
            << granule_shift_;
        blocks.push_back((offset - geometry_.header_bytes) / block_bytes);
      }
    }
    if (blocks.empty()) continue;
    ++count;
    AppendVarint(dirty.number - std::exchange(last_pool, dirty.number));
    AppendVarint(blocks.size());
    std::uint64_t last = 0;
    for (const std::uint64_t block : blocks)
      AppendVarint(block - std::exchange(last, block));
  }
  std::swap(list, raw_);
  AppendVarint(count);
  raw_ += list;
}

void PoolMap::AppendVarint(std::uint64_t value) {
  while (value >= 128) {
    raw_ += static_cast<char>(value | 128);
    value >>= 7;
  }
  raw_ += static_cast<char>(value);
}

}  // namespace arenalab
