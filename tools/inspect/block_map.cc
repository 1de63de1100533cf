// Entries by pool, and the index that leads from an address to its pool.
#include "tools/inspect/block_map.h"

#include <algorithm>
#include <cstring>

#include "allocators/pymalloc/arena_record.h"
#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

// Pools may lie this far apart for an index without holes.
constexpr std::uint64_t kMostIndexed = std::uint64_t{1} << 24;
constexpr std::uint64_t kHeadBytes = 48;
// Reference count and type.
constexpr std::size_t kObjectHeadBytes = 16;

}  // namespace

BlockMap::BlockMap(const GeometryValues& geometry,
                   const std::vector<FoundArena>& arenas, std::size_t most_kept)
    : geometry_(geometry),
      most_kept_(most_kept),
      types_(1),
      kept_(arenas.size()),
      read_again_(arenas.size()) {
  low_ = ~std::uint64_t{0};
  for (const FoundArena& arena : arenas) {
    arenas_.push_back(arena.record.base);
    low_ = std::min(low_, arena.record.base & ~(geometry.pool_bytes - 1));
    high_ = std::max(high_, arena.record.base + geometry.arena_bytes);
  }
  if (arenas.empty()) low_ = 0;
  const std::uint64_t span =
      (high_ - low_ + geometry.pool_bytes - 1) / geometry.pool_bytes;
  if (span > kMostIndexed) return;
  index_.resize(span);
  for (std::uint32_t i = 0; i < arenas_.size(); ++i) {
    const std::uint64_t first =
        (FirstPool(geometry, arenas_[i]) - low_) / geometry.pool_bytes;
    for (std::uint64_t pool = 0;
         pool < geometry.arena_bytes / geometry.pool_bytes &&
         first + pool < span;
         ++pool)
      index_[first + pool] = kLater | i;
  }
}

void BlockMap::Add(const LiveBlock& block, const HeldObject& held) {
  const std::uint64_t base = block.address & ~(geometry_.pool_bytes - 1);
  if (pools_.empty() || pools_.back().base != base) {
    const auto blocks =
        static_cast<std::uint32_t>(BlocksPerPool(geometry_, block.size_class));
    pools_.push_back({base, static_cast<std::uint32_t>(entries_.size()), blocks,
                      block.size_class,
                      static_cast<std::uint32_t>(block.arena)});
    entries_.resize(entries_.size() + blocks);
    const auto place = static_cast<std::uint32_t>(pools_.size());
    if (index_.empty())
      far_index_[base] = place;
    else
      index_[(base - low_) / geometry_.pool_bytes] = place;
    bytes_ = reinterpret_cast<std::uintptr_t>(block.bytes) - block.address;
  }
  std::uint32_t entry = kLive | static_cast<std::uint32_t>(held.owner)
                                    << kOwnerShift;
  if (held.type != nullptr) {
    const std::uint32_t number = held.type->number & kTypeMask;
    entry |=
        static_cast<std::uint32_t>(held.offset / 8) << kOffsetShift | number;
    if (number >= types_.size()) types_.resize(number + 1);
    types_[number] = held.type;
  }
  entries_[pools_.back().first +
           (block.address - base - geometry_.header_bytes) /
               block.block_bytes] = entry;
}

HeldObject BlockMap::Decode(std::uint32_t entry) const {
  HeldObject held;
  held.type = types_[entry & kTypeMask];
  held.owner = static_cast<Owner>(entry >> kOwnerShift & 3);
  held.offset = (entry >> kOffsetShift & 7) * 8;
  if (held.type == nullptr || (entry & kPart) != 0) held.offset = 0;
  held.is_part = (entry & kPart) != 0;
  return held;
}

std::uint32_t BlockMap::PlaceOf(std::uint64_t base) const {
  // A target that runs on has pools in use that were not there before.
  if (base - low_ >= high_ - low_) return 0;
  if (!index_.empty()) return index_[(base - low_) / geometry_.pool_bytes];
  const auto at = far_index_.find(base);
  return at == far_index_.end() ? 0 : at->second;
}

void BlockMap::Reach(const Pool& pool, std::uint64_t word,
                     std::uint32_t entry) {
  if (word - pool.base < geometry_.header_bytes) return;
  const std::uint64_t bytes = (pool.size_class + 1) * geometry_.alignment;
  const std::uint64_t offset = word - pool.base - geometry_.header_bytes;
  const std::uint64_t number = offset / bytes;
  if (number >= pool.blocks || offset % bytes > kHeadBytes) return;
  std::uint32_t& other = entries_[pool.first + number];
  if (other != 0 && (other & kTypeMask) == 0) other = entry;
}

void BlockMap::FollowWords(std::uint32_t entry, const unsigned char* bytes,
                           std::size_t block_bytes) {
  const std::uint32_t type = entry & kTypeMask;
  if (type == 0) return;
  // Of memory that was reached already all words count.
  std::size_t at = (entry & kPart) != 0
                       ? 0
                       : (entry >> kOffsetShift & 7) * 8 + kObjectHeadBytes;
  const std::uint32_t found =
      kLive | kPart | (entry & 3u << kOwnerShift) | type;
  for (; at + 8 <= block_bytes; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, sizeof(word));
    if (word - low_ >= high_ - low_ || word % 8 != 0) continue;
    const std::uint32_t place = PlaceOf(word & ~(geometry_.pool_bytes - 1));
    if (place == 0) continue;
    if ((place & kLater) == 0) {
      Reach(pools_[place - 1], word, found);
      continue;
    }
    const std::uint32_t arena = place & ~kLater;
    if (arena <= arena_) continue;  // a pool without a live block
    if (kept_count_ == most_kept_) {
      read_again_[arena_] = true;
      continue;
    }
    kept_[arena].push_back(
        {static_cast<std::uint32_t>(word - arenas_[arena]), found});
    ++kept_count_;
  }
}

void BlockMap::FollowArena() {
  for (const Kept& kept : kept_[arena_]) {
    const std::uint64_t word = arenas_[arena_] + kept.offset;
    const std::uint32_t place = PlaceOf(word & ~(geometry_.pool_bytes - 1));
    if (place != 0 && (place & kLater) == 0)
      Reach(pools_[place - 1], word, kept.entry);
  }
  kept_count_ -= kept_[arena_].size();
  std::vector<Kept>().swap(kept_[arena_]);
  // Pools that are not read yet cannot be told from others there.
  if (index_.empty()) read_again_[arena_] = true;
  for (; first_pool_ < pools_.size(); ++first_pool_) {
    const Pool pool = pools_[first_pool_];
    const std::size_t block_bytes = (pool.size_class + 1) * geometry_.alignment;
    const auto* bytes = reinterpret_cast<const unsigned char*>(
        bytes_ + pool.base + geometry_.header_bytes);
    for (std::uint32_t i = 0; i < pool.blocks; ++i, bytes += block_bytes)
      FollowWords(entries_[pool.first + i], bytes, block_bytes);
  }
  if (arena_ + 1 < arenas_.size()) ++arena_;
}

void BlockMap::Follow(const LiveBlock& block) {
  const std::uint32_t place =
      PlaceOf(block.address & ~(geometry_.pool_bytes - 1));
  arena_ = static_cast<std::uint32_t>(arenas_.size());  // all were read
  // The target may have changed since the block was added.
  if (place == 0 || (place & kLater) != 0) return;
  const Pool& own = pools_[place - 1];
  if (own.size_class != block.size_class) return;
  const std::uint64_t number =
      (block.address - own.base - geometry_.header_bytes) / block.block_bytes;
  FollowWords(entries_[own.first + number], block.bytes, block.block_bytes);
}

}  // namespace arenalab
