// The array of arena records; contract in arena_record.h.
#include "allocators/pymalloc/arena_record.h"

#include <limits>

namespace arenalab {
namespace {

constexpr std::uint32_t kFirstRecords = 16;

}  // namespace

ArenaRecord* ArenaRecords::Take(const RawSource& metadata) {
  if (unused_ == nullptr) {
    const std::uint32_t grown = size_ == 0 ? kFirstRecords : size_ * 2;
    if (grown <= size_) return nullptr;
    void* moved = metadata.reallocate(metadata.context, records_,
                                      grown * sizeof(ArenaRecord));
    if (moved == nullptr) return nullptr;
    records_ = static_cast<ArenaRecord*>(moved);
    for (std::uint32_t i = grown; i-- > size_;) {
      records_[i] = {};
      PutBack(&records_[i]);  // so that they are taken in ascending order
    }
    size_ = grown;
  }
  ArenaRecord* record = unused_;
  unused_ = record->next;
  return record;
}

void ArenaRecords::Destroy(const RawSource& metadata) {
  metadata.free(metadata.context, records_);
  records_ = unused_ = nullptr;
  size_ = 0;
}

}  // namespace arenalab
