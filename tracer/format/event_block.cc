// What EventColumns makes of its columns when a block is full.
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "tracer/format/event_buffers.h"
#include "tracer/format/event_columns.h"

namespace arenalab {

using namespace layout;

void EventColumns::StoreColumn(ColumnId id, const void* raw,
                               std::size_t bytes) {
  if (bytes == 0) return;
  stored_.resize(
      std::max(stored_.size(), stored_bytes_ + ZSTD_compressBound(bytes)));
  ColumnEntry entry{id, kZstd, static_cast<std::uint32_t>(bytes), 0};
  std::uint8_t* const to = stored_.data() + stored_bytes_;
  std::size_t packed =
      ZSTD_compressCCtx(compressor_, to, stored_.size() - stored_bytes_, raw,
                        bytes, options_.compression_level);
  if (ZSTD_isError(packed) != 0 || packed >= bytes) {
    std::memcpy(to, raw, packed = bytes);
    entry.coding = kAsItIs;
  }
  entry.stored_bytes = static_cast<std::uint32_t>(packed);
  stored_bytes_ += packed;
  entries_.push_back(entry);
}

std::span<const std::uint8_t> EventColumns::Take() {
  if (compressor_ == nullptr) return {};
  Buffers& from = *buffers_;
  const auto length = [](const std::uint8_t* begin, const std::uint8_t* end) {
    return static_cast<std::size_t>(end - begin);
  };
  entries_.clear();
  stored_bytes_ = 0;
  StoreColumn(kHeadTableColumn, from.table, table_ * sizeof from.table[0]);
  StoreColumn(kHeadsColumn, from.heads, length(from.heads, heads_end_));
  StoreColumn(kBirthsColumn, from.births, length(from.births, births_end_));
  StoreColumn(kDeathsColumn, from.deaths, length(from.deaths, deaths_end_));
  for (unsigned i = 0; i < Buffers::kAddressBytes; ++i) {
    StoreColumn(static_cast<ColumnId>(kAddressColumn + i), from.addresses[i],
                explicit_);
  }
  StoreColumn(kRegionsColumn, regions_, region_count_ * sizeof regions_[0]);
  StoreColumn(kWideColumn, from.wide, length(from.wide, wide_end_));
  for (unsigned i = 0; i < kDeathRestBytes; ++i) {
    StoreColumn(static_cast<ColumnId>(kDeathRestColumn + i),
                from.death_rests[i], death_rests_[i]);
  }
  StoreColumn(kNamesColumn, names_.data(), names_.size());
  const auto store = [this](ColumnId id, Sparse& column, std::uint32_t places) {
    if (!column.bytes().empty()) column.FillTo(places);
    StoreColumn(id, column.bytes().data(), column.bytes().size());
    column.Clear();
  };
  store(kFreedTypesColumn, freed_types_, frees_);
  store(kMadeTypesColumn, made_types_, makes_);
  store(kSitesColumn, sites_, makes_);

  begin_.heads = heads_;
  begin_.columns = static_cast<std::uint16_t>(entries_.size());
  const std::size_t entry_bytes = entries_.size() * sizeof(ColumnEntry);
  content_.resize(sizeof begin_ + entry_bytes + stored_bytes_);
  std::memcpy(content_.data(), &begin_, sizeof begin_);
  std::memcpy(content_.data() + sizeof begin_, entries_.data(), entry_bytes);
  std::memcpy(content_.data() + sizeof begin_ + entry_bytes, stored_.data(),
              stored_bytes_);

  for (const std::uint16_t head : used_codes_) from.codes[head] = {};
  used_codes_.clear();
  heads_ = table_ = explicit_ = region_count_ = last_region_ = 0;
  std::fill_n(death_rests_, kDeathRestBytes, 0);
  frees_ = makes_ = 0;
  names_.clear();
  heads_end_ = from.heads;
  births_end_ = from.births;
  deaths_end_ = from.deaths;
  wide_end_ = from.wide;
  return content_;
}

}  // namespace arenalab
