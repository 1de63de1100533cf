// What is known of one arena, and the array that holds it.
//
// OWNERSHIP. The record array belongs to the table and comes from the metadata
// source. It moves only while the usable and the unused list are both empty, so
// links are plain pointers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/arena_source.h"
#include "allocators/pymalloc/geometry.h"

namespace arenalab {

struct ArenaRecord {
  std::uint64_t base;              // as the source returned it; 0: slot unused
  std::uint64_t next_virgin_pool;  // the pool that will be carved next
  std::uint32_t free_pools;        // free-listed plus never carved
  std::uint32_t total_pools;
  std::uint64_t free_list;  // empty pools, linked by PoolHeader::next
  ArenaRecord* next;        // in the usable or the unused list
  ArenaRecord* prev;        // in the usable list
};
static_assert(sizeof(ArenaRecord) == 48, "as in CPython: it is in metadata");

inline std::uint64_t FirstPool(const GeometryValues& geometry,
                               std::uint64_t base) {
  return (base + geometry.pool_bytes - 1) & ~(geometry.pool_bytes - 1);
}

// The growing array of records: 16, 32, 64 ... slots.
class ArenaRecords {
 public:
  ArenaRecords() = default;
  ArenaRecords(const ArenaRecords&) = delete;
  ArenaRecords& operator=(const ArenaRecords&) = delete;

  // An unused slot, or nullptr if the array could not grow. The caller owns it
  // until PutBack().
  ArenaRecord* Take(const RawSource& metadata);
  // Last in, first out.
  void PutBack(ArenaRecord* record) {
    record->base = 0;
    record->next = unused_;
    unused_ = record;
  }
  void Destroy(const RawSource& metadata);

  std::uint32_t IndexOf(const ArenaRecord* record) const {
    return static_cast<std::uint32_t>(record - records_);
  }
  std::uint32_t size() const { return size_; }
  ArenaRecord& operator[](std::uint32_t index) { return records_[index]; }
  const ArenaRecord& operator[](std::uint32_t index) const {
    return records_[index];
  }

 private:
  ArenaRecord* records_ = nullptr;
  ArenaRecord* unused_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace arenalab
