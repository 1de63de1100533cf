// The radix tree's growth; contract in arena_map.h.
#include "allocators/pymalloc/arena_map.h"

namespace arenalab {
namespace {

constexpr std::size_t kWidestTopBits = 17;

}  // namespace

// Not const, or it would be 1 MiB of zeros in the file: it stays in .bss, and
// reading it maps the kernel's shared page of zeros.
ArenaMap::Mid* ArenaMap::no_arenas_[std::size_t{1} << kWidestTopBits];

ArenaMap::Entry* ArenaMap::Reach(const RadixShape& shape, std::uint64_t base,
                                 const RawSource& metadata) {
  const auto zeroed = [&](std::size_t bytes) {
    return metadata.allocate_zeroed(metadata.context, 1, bytes);
  };
  if (!has_root()) {
    void* root = zeroed(shape.root_bytes());
    if (root == nullptr) return nullptr;
    root_ = static_cast<Mid**>(root);
  }
  const std::uint64_t piece = (base & shape.address_mask) >> shape.offset_bits;
  Mid*& mid = root_[piece >> (shape.bottom_bits + shape.mid_bits)];
  if (mid == nullptr) {
    mid = static_cast<Mid*>(zeroed(shape.mid_bytes()));
    if (mid == nullptr) return nullptr;
    ++mid_nodes_;
  }
  Entry*& bottom = mid[(piece >> shape.bottom_bits) & Mask(shape.mid_bits)];
  if (bottom == nullptr) {
    bottom = static_cast<Entry*>(zeroed(shape.bottom_bytes()));
    if (bottom == nullptr) return nullptr;
    ++bottom_nodes_;
  }
  return &bottom[piece & Mask(shape.bottom_bits)];
}

bool ArenaMap::Mark(const RadixShape& shape, std::uint64_t base,
                    const RawSource& metadata) {
  Entry* high = Reach(shape, base, metadata);
  if (high == nullptr) return false;
  const std::uint64_t arena_bytes = std::uint64_t{1} << shape.offset_bits;
  const auto tail = static_cast<std::int32_t>(base & Mask(shape.offset_bits));
  if (tail > 0) {
    Entry* low = Reach(shape, base + arena_bytes, metadata);
    if (low == nullptr) return false;
    low->lo = tail;
  }
  high->hi = static_cast<std::int32_t>(arena_bytes) - tail;
  return true;
}

void ArenaMap::Unmark(const RadixShape& shape, std::uint64_t base) {
  // Its nodes exist since Mark(), so nothing is allocated.
  const RawSource none{};
  Reach(shape, base, none)->hi = 0;
  if ((base & Mask(shape.offset_bits)) != 0)
    Reach(shape, base + (std::uint64_t{1} << shape.offset_bits), none)->lo = 0;
}

void ArenaMap::Destroy(const RadixShape& shape, const RawSource& metadata) {
  if (!has_root()) return;
  for (std::uint64_t i = 0; i < std::uint64_t{1} << shape.top_bits; ++i) {
    Mid* mid = root_[i];
    if (mid == nullptr) continue;
    for (std::uint64_t j = 0; j < std::uint64_t{1} << shape.mid_bits; ++j)
      if (mid[j] != nullptr) metadata.free(metadata.context, mid[j]);
    metadata.free(metadata.context, mid);
  }
  metadata.free(metadata.context, root_);
  root_ = no_arenas_;
  mid_nodes_ = bottom_nodes_ = 0;
}

}  // namespace arenalab
