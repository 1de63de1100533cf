// Every read is checked against the end of its column.
#include "tracer/format/event_decoder.h"

#include <cstring>
#include <limits>
#include <utility>

#include "tracer/format/input_error.h"
#include "tracer/format/varint.h"

namespace arenalab {

using namespace layout;

void EventDecoder::Begin(std::span<const std::uint8_t> raw, std::string where,
                         std::uint64_t first_request) {
  where_ = std::move(where);
  EventsHeader header;
  if (raw.size() < sizeof header) Fail("no room for the columns' header");
  std::memcpy(&header, raw.data(), sizeof header);
  if (header.heads > kMaxHeads || header.addresses > kMaxAddresses ||
      header.wide_bytes > kMaxWideBytes || header.regions > kMaxRegions) {
    Fail("a column longer than the format allows");
  }
  if (raw.size() != sizeof header + header.regions * sizeof regions_[0] +
                        header.heads * sizeof(std::uint16_t) +
                        header.addresses * sizeof(std::uint32_t) +
                        header.wide_bytes) {
    Fail("the columns do not add up to the block");
  }
  if (header.first_request != first_request) {
    Fail("begins with request " + std::to_string(header.first_request) +
         ", but " + std::to_string(first_request) +
         " requests stand before it: a block is missing or out of place");
  }
  const std::uint8_t* at = raw.data() + sizeof header;
  region_count_ = header.regions;
  std::memcpy(regions_, at, region_count_ * sizeof regions_[0]);
  head_ = at + region_count_ * sizeof regions_[0];
  address_ = head_end_ = head_ + header.heads * sizeof(std::uint16_t);
  wide_ = address_end_ = address_ + header.addresses * sizeof(std::uint32_t);
  wide_end_ = wide_ + header.wide_bytes;
  if (header.time_ns < time_ns_) Fail("time goes back");
  thread_ = header.thread;
  state_ = header.state;
  time_ns_ = header.time_ns;
  request_ = first_request;
}

bool EventDecoder::Next(Event* event) {
  while (head_ != head_end_) {
    std::uint16_t head;
    std::memcpy(&head, head_, sizeof head);
    head_ += sizeof head;
    *event = Event{};
    event->request = request_;
    if ((head & kKindMask) <= static_cast<unsigned>(EventKind::kFree)) {
      DecodeRequest(head, event);
    } else if (!DecodeOther(head, event)) {
      continue;
    }
    event->thread = thread_;
    event->state = state_;
    event->time_ns = time_ns_;
    return true;
  }
  if (address_ != address_end_ || wide_ != wide_end_) {
    Fail("the columns hold more than the events take");
  }
  return false;
}

void EventDecoder::DecodeRequest(unsigned head, Event* event) {
  event->kind = static_cast<EventKind>(head & kKindMask);
  event->layer = static_cast<Layer>(head >> kLayerShift & kLayerMask);
  event->size_bytes = head >> kSizeShift;
  if (event->kind == EventKind::kFree) {
    if (event->size_bytes != 0) Fail("a free with a size");
  } else if (event->size_bytes == kWideSize) {
    event->size_bytes = Wide();
  }
  if (event->kind == EventKind::kAligned) {
    const unsigned log2 = WideByte();
    if (log2 > 63) Fail("an alignment over 2^63");
    event->align_bytes = std::uint64_t{1} << log2;
  }
  const bool moved = event->kind == EventKind::kRealloc;
  if ((head & kExtrasBit) != 0) {
    const unsigned extras = WideByte();
    if ((extras & ~kExtrasKnown) != 0) Fail("unknown extras");
    if ((extras & kExtraDepth) != 0) {
      const std::uint64_t depth = Wide();
      if (depth > std::numeric_limits<std::uint8_t>::max()) {
        Fail("a depth over 255");
      }
      event->depth = static_cast<std::uint8_t>(depth);
    }
    if ((extras & kExtraLag) != 0) {
      if (!moved) Fail("a lag on what is no realloc");
      event->lag = Wide();
    }
  }
  const std::uint32_t old_word = moved ? AddressWord() : 0;
  const std::uint32_t word = AddressWord();
  if (moved) event->old_address = Address(old_word);
  event->address = Address(word);
  ++request_;
}

bool EventDecoder::DecodeOther(unsigned head, Event* event) {
  const unsigned sub_kind = head >> kLayerShift & kLayerMask;
  if (head >> (kLayerShift + 2) != 0) Fail("bits set that mean nothing");
  switch (head & kKindMask) {
    case kArena:
      if (sub_kind > kArenaReleased) Fail("an unknown arena event");
      event->kind = sub_kind == kArenaAcquired ? EventKind::kArenaAcquire
                                               : EventKind::kArenaRelease;
      event->layer = Layer::kObject;
      event->size_bytes = Wide();
      event->address = Address(AddressWord());
      return true;
    case kContext:
      switch (sub_kind) {
        case kContextThread:
          thread_ = Wide32();
          return false;
        case kContextState:
          state_ = Wide32();
          return false;
        case kContextTime:
          if (__builtin_add_overflow(time_ns_, Wide(), &time_ns_)) {
            Fail("a time over 64 bits");
          }
          return false;
        default:
          event->kind = EventKind::kMemory;
          event->rss_bytes = Wide();
          return true;
      }
    default:
      if (sub_kind > kNoteFork) Fail("an unknown note");
      event->kind = EventKind::kMark;
      if (sub_kind == kNoteFork) {
        event->kind = EventKind::kFork;
        event->number = Wide();
      }
      event->name = Name();
      return true;
  }
}

void EventDecoder::Fail(const std::string& what) const {
  throw InputError(where_ + ": " + what +
                   "; the file was damaged or not written by arenalab");
}

std::uint64_t EventDecoder::Wide() {
  std::uint64_t value;
  if (!GetVarint(&wide_, wide_end_, &value)) {
    Fail("a number that is cut short or over 64 bits");
  }
  return value;
}

std::uint32_t EventDecoder::Wide32() {
  const std::uint64_t value = Wide();
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    Fail("a thread or state number over 32 bits");
  }
  return static_cast<std::uint32_t>(value);
}

std::uint8_t EventDecoder::WideByte() {
  if (wide_ == wide_end_) Fail("the wide column ends early");
  return *wide_++;
}

std::string_view EventDecoder::Name() {
  const std::uint64_t bytes = Wide();
  if (bytes > kMaxNameBytes ||
      bytes > static_cast<std::uint64_t>(wide_end_ - wide_)) {
    Fail("a name longer than its column");
  }
  const std::string_view name(reinterpret_cast<const char*>(wide_), bytes);
  wide_ += bytes;
  return name;
}

std::uint32_t EventDecoder::AddressWord() {
  if (address_ == address_end_) Fail("the address column ends early");
  std::uint32_t word;
  std::memcpy(&word, address_, sizeof word);
  address_ += sizeof word;
  return word;
}

std::uint64_t EventDecoder::Address(std::uint32_t word) {
  const std::uint32_t region = word >> kRegionShift;
  if (region < region_count_) {
    return regions_[region] +
           (std::uint64_t{word & kRegionMask} << kAddressUnitShift);
  }
  if (word != kEscape) Fail("an address in a region that the block lacks");
  return Wide();
}

}  // namespace arenalab
