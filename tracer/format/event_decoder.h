// Turns the raw columns of one EVENTS block into events. The bytes may be
// anything: what cannot be decoded throws, nothing is read outside them.
// One thread; the bytes stay the caller's and must outlive the decoding.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tracer/event.h"
#include "tracer/format/layout.h"

namespace arenalab {

class EventDecoder {
 public:
  // `where` begins the message of an InputError: the path and byte offset of
  // the block. `first_request` is the number that the block must begin with.
  void Begin(std::span<const std::uint8_t> raw, std::string where,
             std::uint64_t first_request);
  // False at the end of the block. event->name points into `raw`.
  bool Next(Event* event);
  // The number of the next request.
  std::uint64_t request() const { return request_; }

 private:
  [[noreturn]] void Fail(const std::string& what) const;
  std::uint64_t Wide();
  std::uint32_t Wide32();
  std::uint8_t WideByte();
  std::string_view Name();
  std::uint32_t AddressWord();
  std::uint64_t Address(std::uint32_t word);
  void DecodeRequest(unsigned head, Event* event);
  // False: a change of context, which is no event.
  bool DecodeOther(unsigned head, Event* event);

  std::string where_;
  const std::uint8_t* head_ = nullptr;
  const std::uint8_t* head_end_ = nullptr;
  const std::uint8_t* address_ = nullptr;
  const std::uint8_t* address_end_ = nullptr;
  const std::uint8_t* wide_ = nullptr;
  const std::uint8_t* wide_end_ = nullptr;
  std::uint64_t regions_[layout::kMaxRegions] = {};
  std::uint32_t region_count_ = 0;
  std::uint32_t thread_ = 0;
  std::uint32_t state_ = 0;
  std::uint64_t time_ns_ = 0;
  std::uint64_t request_ = 0;
};

}  // namespace arenalab
