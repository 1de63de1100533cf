// The columns of one EVENTS block while a writer fills them, and the block's
// content made of them (../TRACE_FORMAT.md). Each column is compressed by
// itself: its bytes are alike, those of two columns are not.
//
// One thread. What the address model knows is kept from block to block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/address_model.h"
#include "tracer/format/layout.h"
#include "tracer/format/trace_writer.h"
#include "tracer/plain_requests.h"

struct ZSTD_CCtx_s;

namespace arenalab {

class EventColumns {
 public:
  explicit EventColumns(TraceWriterOptions options);
  ~EventColumns();
  EventColumns(const EventColumns&) = delete;
  EventColumns& operator=(const EventColumns&) = delete;

  // pymalloc's alignment, as a power of two; for blocks that begin from now on.
  void SetClassShift(unsigned shift) { class_shift_ = shift; }

  bool empty() const { return heads_ == 0; }
  // No room for another event: take the block first.
  bool full() const {
    return heads_ > layout::kMaxHeads - kHeadsPerEvent ||
           wide_end_ > wide_limit_ ||
           names_.size() > layout::kMaxNamesBytes - kNameRoom;
  }
  // thread, state and time are compared with the last event's and written where
  // they changed.
  void Append(const Event& event, std::uint64_t request);
  // The same for a row of them, up to one that is not plain, or until full().
  // Nothing where a predictor wants to see each.
  PlainTaken AppendPlain(const PlainRequests& plain, std::uint64_t request);
  // A type or call site that the events from here on may have; names are
  // numbered from 1 in each space.
  void AddName(NameSpace space, std::string_view name);
  // The block's content, until the next call of anything; the columns are empty
  // then. Empty where there is no memory for the compressor.
  std::span<const std::uint8_t> Take();

 private:
  // A name, its space and its length.
  static constexpr std::size_t kNameRoom = layout::kMaxNameBytes + 11;

  // A varint for each of a row of things, most of which are 0: empty as long as
  // all are.
  class Sparse {
   public:
    void Put(std::uint32_t place, std::uint32_t value);
    void FillTo(std::uint32_t places);
    void Clear();
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

   private:
    std::vector<std::uint8_t> bytes_;
    std::uint32_t places_ = 0;
  };

  void BeginBlock(std::uint64_t request);
  struct Code;
  void PutHead(unsigned kind, unsigned layer, unsigned rest);
  const Code& NewCode(unsigned head);
  const Code* PlainCode(unsigned word);
  void PutWide(std::uint64_t value);
  void PutName(std::string_view name);
  void PutContext(std::uint32_t thread, std::uint32_t state,
                  std::uint64_t time_ns);
  void PutRequest(const Event& event);
  void PutOther(const Event& event);
  void PutAddress(std::uint64_t address);
  void PutBirth(const Event& event);
  void PutDeath(std::uint64_t address);
  void PutDeathNumber(std::uint64_t death);
  bool FindRegion(std::uint64_t base);
  void StoreColumn(layout::ColumnId id, const void* raw, std::size_t bytes);

  // An event is at most three contexts and itself.
  static constexpr std::uint32_t kHeadsPerEvent = 4;

  // One allocation of zeroes, its pages touched as they fill: event_buffers.h.
  struct Buffers;
  struct Freed {
    void operator()(Buffers* buffers) const;
  };
  static Buffers* NewBuffers();
  const std::unique_ptr<Buffers, Freed> buffers_;
  std::uint8_t* heads_end_;
  std::uint8_t* births_end_;
  std::uint8_t* deaths_end_;
  std::uint8_t* wide_end_;
  std::uint8_t* const wide_limit_;  // behind it an event may not fit
  std::uint32_t heads_ = 0;
  std::uint32_t table_ = 0;  // heads that have a byte of their own
  std::vector<std::uint16_t> used_codes_;
  std::uint32_t explicit_ = 0;
  std::uint32_t death_rests_[layout::kDeathRestBytes] = {};
  std::uint64_t regions_[layout::kMaxRegions] = {};
  std::uint32_t region_count_ = 0;
  std::uint32_t last_region_ = 0;

  std::vector<std::uint8_t> names_;
  std::uint32_t frees_ = 0;
  std::uint32_t makes_ = 0;  // the other requests
  Sparse freed_types_;
  Sparse made_types_;
  Sparse sites_;

  layout::EventsHeader begin_{};
  unsigned class_shift_ = layout::kMaxClassShift;
  std::uint32_t thread_ = 0;
  std::uint32_t state_ = 0;
  std::uint64_t time_ns_ = 0;

  const TraceWriterOptions options_;
  AddressModel model_;
  BirthIndex births_;

  ZSTD_CCtx_s* compressor_ = nullptr;
  std::vector<layout::ColumnEntry> entries_;
  std::vector<std::uint8_t> stored_;
  std::size_t stored_bytes_ = 0;
  std::vector<std::uint8_t> content_;
};

}  // namespace arenalab
