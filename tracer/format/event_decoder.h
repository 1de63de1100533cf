// Turns EVENTS blocks, one after another from the file's first, into events.
// The bytes may be anything: what cannot be decoded throws, nothing is read
// outside them. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/address_model.h"
#include "tracer/format/address_predictor.h"
#include "tracer/format/layout.h"
#include "tracer/format/name_table.h"

struct ZSTD_DCtx_s;

namespace arenalab {

class EventDecoder {
 public:
  // The names that the blocks bring are put into `names`, which outlives it.
  // `predictor`: of a packed trace, else nullptr.
  EventDecoder(NameTable* names, std::unique_ptr<AddressPredictor> predictor)
      : names_(*names), predictor_(std::move(predictor)) {}
  ~EventDecoder();
  EventDecoder(const EventDecoder&) = delete;
  EventDecoder& operator=(const EventDecoder&) = delete;

  // `where` begins the message of an InputError: the path and byte offset of
  // the block. It must begin with request(). `raw` must outlive its decoding.
  void Begin(std::span<const std::uint8_t> raw, std::string where);
  // False at the end of the block. event->name is valid until the next Begin.
  bool Next(Event* event);
  // The number of the next request.
  std::uint64_t request() const { return request_; }

 private:
  // What is left of a column.
  struct Column {
    const std::uint8_t* at = nullptr;
    const std::uint8_t* end = nullptr;
    std::size_t bytes() const { return static_cast<std::size_t>(end - at); }
  };

  [[noreturn]] void Fail(const std::string& what) const;
  void OpenColumns(std::span<const std::uint8_t> raw,
                   const layout::EventsHeader& header);
  void OpenColumn(const layout::ColumnEntry& entry, const std::uint8_t* stored);
  void TakeNames();
  void OpenModel(const layout::EventsHeader& header);
  // Where a column that the reader knows is kept.
  static constexpr unsigned PlaceOf(unsigned id) {
    return id < layout::kFirstOptionalColumn
               ? id
               : layout::kRequiredColumns + id - layout::kFirstOptionalColumn;
  }
  std::uint8_t Byte(layout::ColumnId id);
  std::uint64_t Varint(layout::ColumnId id);
  std::uint64_t Wide() { return Varint(layout::kWideColumn); }
  std::uint32_t Wide32();
  std::string_view Name(layout::ColumnId id);
  // The next of an optional column that may be absent; 0 then.
  std::uint32_t NumberOf(layout::ColumnId id, NameSpace space);
  std::uint32_t Checked(std::uint64_t number, NameSpace space) const;
  unsigned Head();
  std::uint64_t Address();
  std::uint64_t HandedOut(const Event& event);
  std::uint64_t GivenUp();
  std::uint64_t DeathNumber();
  void DecodeRequest(unsigned head, Event* event);
  // False: a change of context, which is no event.
  bool DecodeOther(unsigned head, Event* event);

  static constexpr unsigned kPlaces =
      layout::kRequiredColumns + layout::kKnownOptionalColumns;

  std::string where_;
  NameTable& names_;
  Column columns_[kPlaces] = {};
  bool present_[kPlaces] = {};
  std::vector<std::uint8_t> buffers_[kPlaces];
  std::uint32_t heads_left_ = 0;
  std::uint16_t head_table_[layout::kMaxHeadTable] = {};
  unsigned head_table_size_ = 0;
  std::uint64_t regions_[layout::kMaxRegions] = {};
  std::uint32_t region_count_ = 0;
  unsigned class_shift_ = 0;
  std::uint32_t thread_ = 0;
  std::uint32_t state_ = 0;
  std::uint64_t time_ns_ = 0;
  std::uint64_t request_ = 0;
  const std::unique_ptr<AddressPredictor> predictor_;
  std::unique_ptr<AddressModel> model_;  // of the file's first block on
  std::unique_ptr<BirthWindow> births_;  // likewise
  ZSTD_DCtx_s* decompressor_ = nullptr;  // made for the first that needs it
};

}  // namespace arenalab
