// Entries by pool, and the index that leads from an address to its pool.
#include "tools/inspect/block_map.h"

#include <algorithm>
#include <cstring>

#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

// Pools may lie this far apart for an index without holes.
constexpr std::uint64_t kMostIndexed = std::uint64_t{1} << 24;
constexpr std::uint64_t kHeadBytes = 48;
// Reference count and type.
constexpr std::size_t kObjectHeadBytes = 16;

}  // namespace

std::uint32_t BlockMap::NumberOf(const ObjectType* type) {
  const auto [at, is_new] =
      numbers_.try_emplace(type, static_cast<std::uint32_t>(types_.size()));
  if (is_new) types_.push_back(type);
  return at->second;
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
  }
  std::uint32_t entry = kLive | static_cast<std::uint32_t>(held.owner)
                                    << kOwnerShift;
  if (held.type != nullptr)
    entry |= static_cast<std::uint32_t>(held.offset / 8) << kOffsetShift |
             (NumberOf(held.type) & kTypeMask);
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

void BlockMap::MakeIndex() {
  low_ = ~std::uint64_t{0};
  for (const Pool& pool : pools_) {
    low_ = std::min(low_, pool.base);
    high_ = std::max(high_, pool.base + geometry_.pool_bytes);
  }
  const std::uint64_t span = (high_ - low_) / geometry_.pool_bytes;
  if (span <= kMostIndexed) index_.resize(span);
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    const auto place = static_cast<std::uint32_t>(i + 1);
    if (span <= kMostIndexed)
      index_[(pools_[i].base - low_) / geometry_.pool_bytes] = place;
    else
      far_index_[pools_[i].base] = place;
  }
}

const BlockMap::Pool* BlockMap::PoolAt(std::uint64_t base) const {
  std::uint32_t place = 0;
  // A target that runs on has pools in use that pass 1 did not see.
  if (base < low_ || base >= high_) return nullptr;
  if (!index_.empty()) {
    place = index_[(base - low_) / geometry_.pool_bytes];
  } else if (const auto at = far_index_.find(base); at != far_index_.end()) {
    place = at->second;
  }
  return place == 0 ? nullptr : &pools_[place - 1];
}

void BlockMap::Follow(const LiveBlock& block) {
  if (high_ == 0) MakeIndex();
  const Pool* own = PoolAt(block.address & ~(geometry_.pool_bytes - 1));
  // The target may have changed since pass 1.
  if (own == nullptr || own->size_class != block.size_class) return;
  const std::uint32_t entry = entries_[own->first + (block.address - own->base -
                                                     geometry_.header_bytes) /
                                                        block.block_bytes];
  const std::uint32_t type = entry & kTypeMask;
  if (type == 0) return;
  // Of memory that was reached in this pass already all words count.
  std::size_t at = (entry & kPart) != 0
                       ? 0
                       : (entry >> kOffsetShift & 7) * 8 + kObjectHeadBytes;
  const std::uint32_t found =
      kLive | kPart | (entry & 3u << kOwnerShift) | type;
  for (; at + 8 <= block.block_bytes; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, block.bytes + at, sizeof(word));
    if (word - low_ >= high_ - low_ || word % 8 != 0) continue;
    const std::uint64_t base = word & ~(geometry_.pool_bytes - 1);
    const Pool* pool = PoolAt(base);
    if (pool == nullptr || word - base < geometry_.header_bytes) continue;
    const std::uint64_t bytes = (pool->size_class + 1) * geometry_.alignment;
    const std::uint64_t offset = word - base - geometry_.header_bytes;
    const std::uint64_t number = offset / bytes;
    if (number >= pool->blocks || offset % bytes > kHeadBytes) continue;
    std::uint32_t& other = entries_[pool->first + number];
    if (other != 0 && (other & kTypeMask) == 0) other = found;
  }
}

}  // namespace arenalab
