// Objects as columns, in the order of their places.
#include "tools/replay/object_list.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "allocators/pymalloc/arena.h"
#include "allocators/pymalloc/size_class.h"
#include "tools/replay/gzip.h"

namespace arenalab {
namespace {

class Varints {
 public:
  explicit Varints(GzipStream* out) : out_(out) {}
  ~Varints() { out_->Append(bytes_); }

  void Append(std::uint64_t value) {
    while (value >= 128) {
      bytes_ += static_cast<char>(value | 128);
      value >>= 7;
    }
    bytes_ += static_cast<char>(value);
  }

 private:
  GzipStream* out_;
  std::string bytes_;
};

}  // namespace

ObjectList::ObjectList(const GeometryValues& geometry,
                       const ArenaRegion& region, std::uint32_t slots,
                       std::vector<std::size_t> moments, std::size_t most)
    : geometry_(geometry),
      region_(region),
      moments_(std::move(moments)),
      most_(most),
      births_(slots) {
  std::sort(moments_.begin(), moments_.end());
}

void ObjectList::Born(std::uint32_t slot, std::uint64_t address,
                      std::uint64_t bytes, std::uint32_t size_class,
                      const RequestHint& hint, std::uint8_t owner) {
  const ArenaRegion::Arena& arena = region_.slots()[region_.SlotOf(address)];
  const std::uint64_t index =
      (address - FirstPool(geometry_, arena.base)) / geometry_.pool_bytes;
  const std::uint64_t offset = address & (geometry_.pool_bytes - 1);
  births_[slot] = {
      samples_,
      static_cast<std::uint32_t>(arena.ordinal * PoolsPerArena(geometry_) +
                                 index),
      static_cast<std::uint32_t>((offset - geometry_.header_bytes) /
                                 BlockSize(geometry_, size_class)),
      static_cast<std::uint32_t>(bytes),
      hint.thread,
      hint.type,
      hint.site,
      owner};
}

void ObjectList::Died(std::uint32_t slot) {
  const Birth birth = std::exchange(births_[slot], Birth{});
  if (birth.sample != Birth::kNone && birth.sample < samples_)
    Keep(birth, samples_);
}

// Whether a sample in [first, behind) is told.
bool ObjectList::IsTold(std::uint32_t first, std::uint32_t behind) const {
  if ((behind - 1) / stride_ * stride_ >= first) return true;
  const auto moment = std::lower_bound(moments_.begin(), moments_.end(), first);
  return moment != moments_.end() && *moment < behind;
}

void ObjectList::Keep(const Birth& birth, std::uint32_t death) {
  if (!IsTold(birth.sample, death)) return;
  objects_.push_back({birth, death});
  // Half as often, but no sparser than the moments alone.
  while (objects_.size() > most_ && stride_ <= samples_) {
    stride_ *= 2;
    std::erase_if(objects_, [this](const Object& object) {
      return !IsTold(object.birth.sample, object.death);
    });
  }
}

ObjectList::Columns ObjectList::Encode(bool with_owners) {
  for (const Birth& birth : births_) {
    if (birth.sample < samples_) Keep(birth, samples_);
  }
  births_ = {};
  std::sort(objects_.begin(), objects_.end(),
            [](const Object& a, const Object& b) {
              return std::tie(a.birth.pool, a.birth.block, a.birth.sample) <
                     std::tie(b.birth.pool, b.birth.block, b.birth.sample);
            });
  Columns columns;
  columns.count = objects_.size();
  for (std::uint32_t sample = 0; sample < samples_; ++sample) {
    if (IsTold(sample, sample + 1)) columns.told.push_back(sample);
  }
  GzipStream gzip;
  // The block's predecessor in its place, or nothing.
  const auto before = [&](std::size_t i) -> const Object* {
    if (i == 0) return nullptr;
    const Birth &a = objects_[i - 1].birth, &b = objects_[i].birth;
    return a.pool == b.pool && a.block == b.block ? &objects_[i - 1] : nullptr;
  };
  {
    Varints pools(&gzip);
    std::uint32_t last = 0;
    for (const Object& object : objects_)
      pools.Append(object.birth.pool - std::exchange(last, object.birth.pool));
  }
  {
    Varints blocks(&gzip);
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      const bool same_pool =
          i > 0 && objects_[i - 1].birth.pool == objects_[i].birth.pool;
      blocks.Append(objects_[i].birth.block -
                    (same_pool ? objects_[i - 1].birth.block : 0));
    }
  }
  {
    Varints births(&gzip);
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      const Object* last = before(i);
      births.Append(objects_[i].birth.sample - (last ? last->death : 0));
    }
  }
  const auto column = [&](auto value) {
    Varints out(&gzip);
    for (const Object& object : objects_) out.Append(value(object));
  };
  // 0: it lives at the end.
  column([this](const Object& object) {
    return object.death == samples_ ? 0 : object.death - object.birth.sample;
  });
  column([](const Object& object) { return object.birth.bytes; });
  column([](const Object& object) { return object.birth.thread; });
  column([](const Object& object) { return object.birth.type; });
  column([](const Object& object) { return object.birth.site; });
  if (with_owners)
    column([](const Object& object) { return object.birth.owner; });
  columns.data = Base64(gzip.Finish());
  return columns;
}

}  // namespace arenalab
