// Varints out and in; every bound that the header promises is checked here.
#include "tracer/format/heap_image.h"

#include <algorithm>
#include <bit>

#include "tracer/format/input_error.h"
#include "tracer/format/varint.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kMostSlots = std::uint64_t{1} << 24;
constexpr std::uint64_t kMostArenaBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostClasses = 128;
constexpr std::uint64_t kMostNameBytes = 1 << 16;

class Encoder {
 public:
  explicit Encoder(std::vector<std::uint8_t>* out) : out_(*out) {}

  void Put(std::uint64_t value) {
    std::uint8_t bytes[kMaxVarintBytes];
    out_.insert(out_.end(), bytes, PutVarint(bytes, value));
  }
  template <class List>
  void PutList(const List& list) {
    Put(list.size());
    for (const auto value : list) Put(value);
  }
  void PutText(const std::string& text) {
    Put(text.size());
    out_.insert(out_.end(), text.begin(), text.end());
  }

 private:
  std::vector<std::uint8_t>& out_;
};

class Decoder {
 public:
  Decoder(std::span<const std::uint8_t> bytes, const std::string& where)
      : begin_(bytes.data()),
        at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        where_(where) {}

  bool AtEnd() const { return at_ == end_; }

  [[noreturn]] void Fail(const char* what) const {
    throw InputError(where_ + ": heap, byte " + std::to_string(at_ - begin_) +
                     ": " + what);
  }
  void Expect(bool holds, const char* what) const {
    if (!holds) Fail(what);
  }
  std::uint64_t Get(std::uint64_t least, std::uint64_t most, const char* what) {
    std::uint64_t value;
    if (!GetVarint(&at_, end_, &value) || value < least || value > most)
      Fail(what);
    return value;
  }
  // A count of things of at least a byte each.
  std::uint64_t GetCount(std::uint64_t most, const char* what) {
    return Get(0, std::min<std::uint64_t>(most, end_ - at_), what);
  }
  std::uint32_t GetPlace(std::uint64_t count, const char* what) {
    Expect(count > 0, what);
    return static_cast<std::uint32_t>(Get(0, count - 1, what));
  }
  std::string GetText() {
    const std::uint64_t bytes = GetCount(kMostNameBytes, "a name's length");
    std::string text(reinterpret_cast<const char*>(at_), bytes);
    at_ += bytes;
    return text;
  }

 private:
  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  const std::string& where_;
};

class ImageDecoder {
 public:
  explicit ImageDecoder(Decoder* in) : in_(*in) {}

  HeapImage Decode() {
    Sizes();
    const std::uint64_t arenas = in_.GetCount(image_.slots, "too many arenas");
    std::vector<bool> slot_taken(image_.slots);
    for (std::uint64_t i = 0; i < arenas; ++i) Arena(&slot_taken);
    in_.Expect(image_.arenas_high_water >= arenas &&
                   image_.arenas_created >= image_.arenas_high_water,
               "fewer arenas were created than there are");
    Usable();
    Unused(&slot_taken);
    Used();
    return std::move(image_);
  }

 private:
  void Sizes() {
    image_.state = static_cast<std::uint32_t>(in_.Get(0, UINT32_MAX, "state"));
    const auto power = [&](std::uint64_t least, std::uint64_t most,
                           const char* what) {
      const std::uint64_t value = in_.Get(least, most, what);
      in_.Expect(std::has_single_bit(value), what);
      return value;
    };
    image_.arena_bytes = power(16384, kMostArenaBytes, "arena bytes");
    image_.pool_bytes = power(1024, 262144, "pool bytes");
    in_.Expect(image_.pool_bytes < image_.arena_bytes, "pool bytes");
    image_.alignment = power(8, 64, "alignment");
    image_.max_small_bytes =
        in_.Get(image_.alignment, image_.pool_bytes / 2 - 64, "limit");
    in_.Expect(image_.max_small_bytes % image_.alignment == 0 &&
                   image_.classes() <= kMostClasses,
               "limit");
    image_.slots = static_cast<std::uint32_t>(in_.Get(0, kMostSlots, "slots"));
    image_.arenas_created = in_.Get(0, UINT64_MAX, "arenas created");
    image_.arenas_high_water = in_.Get(0, UINT64_MAX, "arenas at most");
  }

  void Arena(std::vector<bool>* slot_taken) {
    ArenaImage arena;
    arena.slot = in_.GetPlace(image_.slots, "an arena's slot");
    in_.Expect(image_.arenas.empty() || image_.arenas.back().slot < arena.slot,
               "arenas are not in the order of their slots");
    (*slot_taken)[arena.slot] = true;
    arena.base = in_.Get(1, UINT64_MAX - image_.arena_bytes, "an arena's base");
    in_.Expect(arena.base % 8 == 0, "an arena's base");
    const std::uint64_t first = image_.first_pool(arena);
    arena.total_pools = static_cast<std::uint32_t>(
        (arena.base + image_.arena_bytes - first) / image_.pool_bytes);
    arena.carved_pools = static_cast<std::uint32_t>(
        in_.GetCount(arena.total_pools, "more pools carved than there are"));
    const std::size_t pools = image_.pools.size();
    std::uint64_t empty = 0;
    for (std::uint32_t i = 0; i < arena.carved_pools; ++i) {
      Pool();
      empty += image_.pools.back().live_blocks == 0;
    }
    std::vector<bool> listed(arena.carved_pools);
    for (std::uint64_t n =
             in_.GetCount(arena.carved_pools, "too many empty pools");
         n > 0; --n) {
      const std::uint32_t pool = in_.GetPlace(arena.carved_pools, "empty pool");
      in_.Expect(!listed[pool] && image_.pools[pools + pool].live_blocks == 0,
                 "a pool in the list of empty ones is not, or twice");
      listed[pool] = true;
      arena.free_pools.push_back(pool);
    }
    in_.Expect(arena.free_pools.size() == empty, "an empty pool is in no list");
    image_.arenas.push_back(std::move(arena));
  }

  void Pool() {
    PoolImage pool;
    pool.size_class =
        in_.GetPlace(image_.classes() + 1, "there is no such class");
    if (pool.size_class == image_.classes()) {
      image_.pools.push_back(pool);
      return;
    }
    const std::uint64_t blocks = image_.blocks_per_pool(pool.size_class);
    pool.carved_blocks = static_cast<std::uint32_t>(
        in_.Get(1, blocks, "more blocks carved than there are"));
    pool.free_blocks = static_cast<std::uint32_t>(
        in_.GetCount(pool.carved_blocks, "more free blocks than carved"));
    pool.live_blocks = pool.carved_blocks - pool.free_blocks;
    // P3: a pool with blocks left has one on its list.
    in_.Expect(pool.free_blocks > 0 || pool.carved_blocks == blocks,
               "a pool that is not full has no free block on its list");
    is_free_.assign(pool.carved_blocks, false);
    for (std::uint32_t i = 0; i < pool.free_blocks; ++i) {
      const std::uint32_t block =
          in_.GetPlace(pool.carved_blocks, "free block");
      in_.Expect(!is_free_[block], "a free block is listed twice");
      is_free_[block] = true;
      image_.free_blocks.push_back(static_cast<std::uint16_t>(block));
    }
    image_.pools.push_back(pool);
  }

  std::uint64_t FreePools(const ArenaImage& arena) const {
    return arena.free_pools.size() + arena.total_pools - arena.carved_pools;
  }

  void Usable() {
    std::vector<bool> listed(image_.arenas.size());
    std::uint64_t before = 0;
    for (std::uint64_t n =
             in_.GetCount(image_.arenas.size(), "too many usable arenas");
         n > 0; --n) {
      const std::uint32_t place =
          in_.GetPlace(image_.arenas.size(), "usable arena");
      const std::uint64_t free = FreePools(image_.arenas[place]);
      in_.Expect(!listed[place] && free > 0 && free >= before,
                 "a usable arena has no free pool, is out of order, or twice");
      before = free;
      listed[place] = true;
      image_.usable.push_back(place);
    }
    for (std::size_t i = 0; i < listed.size(); ++i)
      in_.Expect(listed[i] || FreePools(image_.arenas[i]) == 0,
                 "an arena with a free pool is not usable");
  }

  void Unused(std::vector<bool>* slot_taken) {
    for (std::uint64_t n = in_.GetCount(image_.slots, "too many unused slots");
         n > 0; --n) {
      const std::uint32_t slot = in_.GetPlace(image_.slots, "unused slot");
      in_.Expect(!(*slot_taken)[slot], "an unused slot has an arena, or twice");
      (*slot_taken)[slot] = true;
      image_.unused_slots.push_back(slot);
    }
    in_.Expect(
        image_.unused_slots.size() + image_.arenas.size() == image_.slots,
        "a slot is neither an arena's nor unused");
  }

  void Used() {
    std::uint64_t listed = 0, partly = 0;
    std::vector<bool> seen(image_.pools.size());
    const auto is_used = [&](const PoolImage& pool) {
      return pool.live_blocks > 0 && pool.size_class < image_.classes() &&
             pool.live_blocks < image_.blocks_per_pool(pool.size_class);
    };
    for (std::size_t c = 0; c < image_.classes(); ++c) {
      std::vector<std::uint32_t>& list = image_.used.emplace_back();
      for (std::uint64_t n =
               in_.GetCount(image_.pools.size(), "too many used pools");
           n > 0; --n) {
        const std::uint32_t pool =
            in_.GetPlace(image_.pools.size(), "used pool");
        in_.Expect(!seen[pool] && is_used(image_.pools[pool]) &&
                       image_.pools[pool].size_class == c,
                   "a pool in a used list is full, empty, of another class, or "
                   "twice");
        seen[pool] = true;
        list.push_back(pool);
      }
      listed += list.size();
    }
    for (const PoolImage& pool : image_.pools) partly += is_used(pool);
    in_.Expect(listed == partly, "a used pool is in no list");
  }

  Decoder& in_;
  HeapImage image_;
  std::vector<bool> is_free_;
};

}  // namespace

std::uint64_t HeapImage::live_blocks() const {
  std::uint64_t sum = 0;
  for (const PoolImage& pool : pools) sum += pool.live_blocks;
  return sum;
}

void EncodeHeapImage(const HeapImage& image, std::vector<std::uint8_t>* out) {
  Encoder to(out);
  to.Put(image.state);
  for (const std::uint64_t bytes : {image.arena_bytes, image.pool_bytes,
                                    image.alignment, image.max_small_bytes})
    to.Put(bytes);
  to.Put(image.slots);
  to.Put(image.arenas_created);
  to.Put(image.arenas_high_water);
  to.Put(image.arenas.size());
  std::size_t pool = 0, free = 0;
  for (const ArenaImage& arena : image.arenas) {
    to.Put(arena.slot);
    to.Put(arena.base);
    to.Put(arena.carved_pools);
    for (std::uint32_t i = 0; i < arena.carved_pools; ++i, ++pool) {
      const PoolImage& p = image.pools[pool];
      to.Put(p.size_class);
      if (p.size_class == image.classes()) continue;
      to.Put(p.carved_blocks);
      to.Put(p.free_blocks);
      for (std::uint32_t f = 0; f < p.free_blocks; ++f)
        to.Put(image.free_blocks[free++]);
    }
    to.PutList(arena.free_pools);
  }
  to.PutList(image.usable);
  to.PutList(image.unused_slots);
  for (const auto& list : image.used) to.PutList(list);
}

void EncodeBlockTypes(const BlockTypes& types, std::vector<std::uint8_t>* out) {
  Encoder to(out);
  to.Put(types.names.size());
  for (const std::string& name : types.names)
    to.PutText(name.substr(0, kMostNameBytes));
  for (const std::uint32_t type : types.types) to.Put(type);
}

std::vector<HeapImage> DecodeHeapImages(std::span<const std::uint8_t> bytes,
                                        const std::string& where) {
  std::vector<HeapImage> images;
  Decoder in(bytes, where);
  while (!in.AtEnd()) images.push_back(ImageDecoder(&in).Decode());
  return images;
}

std::vector<BlockTypes> DecodeBlockTypes(std::span<const std::uint8_t> bytes,
                                         const std::vector<HeapImage>& images,
                                         const std::string& where) {
  std::vector<BlockTypes> all;
  Decoder in(bytes, where);
  for (const HeapImage& image : images) {
    BlockTypes& types = all.emplace_back();
    for (std::uint64_t n = in.GetCount(kMostSlots, "too many types"); n > 0;
         --n)
      types.names.push_back(in.GetText());
    for (std::uint64_t n = image.live_blocks(); n > 0; --n)
      types.types.push_back(in.GetPlace(types.names.size(), "a block's type"));
  }
  in.Expect(in.AtEnd(), "more types than live blocks");
  return all;
}

}  // namespace arenalab
