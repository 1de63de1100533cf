// Every read is checked against the end of its column.
#include "tracer/format/event_decoder.h"

#include <zstd.h>

#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "tracer/format/input_error.h"
#include "tracer/format/varint.h"

namespace arenalab {

using namespace layout;

EventDecoder::~EventDecoder() { ZSTD_freeDCtx(decompressor_); }

void EventDecoder::Begin(std::span<const std::uint8_t> raw, std::string where) {
  where_ = std::move(where);
  EventsHeader header;
  if (raw.size() < sizeof header) Fail("no room for the columns' header");
  std::memcpy(&header, raw.data(), sizeof header);
  if (header.heads > kMaxHeads || header.columns > kMaxColumns) {
    Fail("more heads or columns than the format allows");
  }
  if (header.first_request != request_) {
    Fail("begins with request " + std::to_string(header.first_request) +
         ", but " + std::to_string(request_) +
         " requests stand before it: a block is missing or out of place");
  }
  if (header.time_ns < time_ns_) Fail("time goes back");
  OpenModel(header);
  OpenColumns(raw, header);
  TakeNames();
  heads_left_ = header.heads;
  thread_ = header.thread;
  state_ = header.state;
  time_ns_ = header.time_ns;
}

void EventDecoder::OpenModel(const EventsHeader& header) {
  class_shift_ = header.class_shift;
  if (class_shift_ < kMinClassShift || class_shift_ > kMaxClassShift) {
    Fail("an alignment that no pymalloc has");
  }
  if (!model_) {
    if (header.window_log2 < kMinWindowLog2 ||
        header.window_log2 > kMaxWindowLog2) {
      Fail("a window longer or shorter than the format allows");
    }
    model_ = std::make_unique<AddressModel>(header.window_log2);
    births_ = std::make_unique<BirthWindow>(header.window_log2);
  } else if (header.window_log2 != model_->window_log2()) {
    Fail("another window than the blocks before it");
  }
}

void EventDecoder::OpenColumns(std::span<const std::uint8_t> raw,
                               const EventsHeader& header) {
  for (Column& column : columns_) column = {};
  for (bool& present : present_) present = false;
  const std::uint8_t* at = raw.data() + sizeof header;
  std::size_t left = raw.size() - sizeof header;
  const std::size_t entry_bytes = header.columns * sizeof(ColumnEntry);
  if (left < entry_bytes) Fail("no room for the columns' entries");
  const std::uint8_t* stored = at + entry_bytes;
  left -= entry_bytes;
  std::uint64_t raw_bytes = 0;
  unsigned last = 0;
  for (unsigned i = 0; i < header.columns; ++i) {
    ColumnEntry entry;
    std::memcpy(&entry, at + i * sizeof entry, sizeof entry);
    if (entry.id <= last) Fail("columns out of order");
    last = entry.id;
    raw_bytes += entry.raw_bytes;
    if (raw_bytes > kMaxRawBytes) Fail("columns longer than the format allows");
    if (entry.stored_bytes > left) Fail("columns longer than the block");
    if (entry.id < kRequiredColumns ||
        (entry.id >= kFirstOptionalColumn && entry.id < kKnownColumnsEnd)) {
      OpenColumn(entry, stored);
    } else if (entry.id < kFirstOptionalColumn) {
      Fail("an unknown column " + std::to_string(entry.id));
    }
    stored += entry.stored_bytes;
    left -= entry.stored_bytes;
  }
  if (left != 0) Fail("the columns do not add up to the block");

  const Column& table = columns_[kHeadTableColumn];
  const Column& regions = columns_[kRegionsColumn];
  if (table.bytes() % sizeof head_table_[0] != 0 ||
      table.bytes() > sizeof head_table_ ||
      regions.bytes() % sizeof regions_[0] != 0 ||
      regions.bytes() > sizeof regions_) {
    Fail("a table longer than the format allows");
  }
  head_table_size_ =
      static_cast<unsigned>(table.bytes() / sizeof head_table_[0]);
  region_count_ =
      static_cast<std::uint32_t>(regions.bytes() / sizeof regions_[0]);
  if (head_table_size_ != 0) {
    std::memcpy(head_table_, table.at, table.bytes());
  }
  if (region_count_ != 0) std::memcpy(regions_, regions.at, regions.bytes());
}

void EventDecoder::TakeNames() {
  const Column& names = columns_[PlaceOf(kNamesColumn)];
  if (names.bytes() > kMaxNamesBytes) Fail("more names than the format allows");
  while (names.bytes() != 0) {
    const unsigned space = Byte(kNamesColumn);
    if (space > static_cast<unsigned>(NameSpace::kSite)) {
      Fail("a name of an unknown kind");
    }
    bool is_new;
    names_.Intern(static_cast<NameSpace>(space), Name(kNamesColumn), &is_new);
  }
}

void EventDecoder::OpenColumn(const ColumnEntry& entry,
                              const std::uint8_t* stored) {
  Column& column = columns_[PlaceOf(entry.id)];
  present_[PlaceOf(entry.id)] = true;
  if (entry.coding == kAsItIs) {
    if (entry.raw_bytes != entry.stored_bytes) {
      Fail("a column that is not as long as it says");
    }
    column = {stored, stored + entry.stored_bytes};
    return;
  }
  if (entry.coding != kZstd) Fail("an unknown coding of a column");
  if (decompressor_ == nullptr) decompressor_ = ZSTD_createDCtx();
  if (decompressor_ == nullptr) throw std::bad_alloc();
  std::vector<std::uint8_t>& buffer = buffers_[PlaceOf(entry.id)];
  if (buffer.size() < entry.raw_bytes) buffer.resize(entry.raw_bytes);
  const std::size_t got =
      ZSTD_decompressDCtx(decompressor_, buffer.data(), entry.raw_bytes, stored,
                          entry.stored_bytes);
  if (ZSTD_isError(got) != 0 || got != entry.raw_bytes) {
    Fail("a column that cannot be decompressed");
  }
  column = {buffer.data(), buffer.data() + got};
}

inline std::uint8_t EventDecoder::Byte(ColumnId id) {
  Column& column = columns_[PlaceOf(id)];
  if (column.at == column.end) {
    Fail("column " + std::to_string(id) + " ends early");
  }
  return *column.at++;
}

inline std::uint64_t EventDecoder::Varint(ColumnId id) {
  Column& column = columns_[PlaceOf(id)];
  std::uint64_t value;
  if (!GetVarint(&column.at, column.end, &value)) {
    Fail("a number that is cut short or over 64 bits");
  }
  return value;
}

inline std::uint64_t EventDecoder::Address() {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < sizeof word; ++i) {
    word |= std::uint32_t{Byte(static_cast<ColumnId>(kAddressColumn + i))}
            << 8 * i;
  }
  const std::uint32_t region = word >> kRegionShift;
  if (region < region_count_) {
    return regions_[region] +
           (std::uint64_t{word & kRegionMask} << kAddressUnitShift);
  }
  if (word != kEscape) Fail("an address in a region that the block lacks");
  return Wide();
}

bool EventDecoder::Next(Event* event) {
  while (heads_left_ != 0) {
    --heads_left_;
    const unsigned head = Head();
    *event = Event{};
    event->request = request_;
    event->thread = thread_;
    event->state = state_;
    event->time_ns = time_ns_;
    if ((head & kKindMask) <= static_cast<unsigned>(EventKind::kFree)) {
      DecodeRequest(head, event);
    } else if (!DecodeOther(head, event)) {
      continue;
    }
    if (predictor_) predictor_->Observe(*event);
    return true;
  }
  for (const unsigned id :
       {kHeadsColumn + 0, kBirthsColumn + 0, kDeathsColumn + 0,
        kAddressColumn + 0, kAddressColumn + 1, kAddressColumn + 2,
        kAddressColumn + 3, kWideColumn + 0, kDeathRestColumn + 0,
        kDeathRestColumn + 1, kDeathRestColumn + 2, kDeathRestColumn + 3,
        kFreedTypesColumn + 0, kMadeTypesColumn + 0, kSitesColumn + 0}) {
    if (columns_[PlaceOf(id)].bytes() != 0) {
      Fail("the columns hold more than the events take");
    }
  }
  return false;
}

inline unsigned EventDecoder::Head() {
  const unsigned byte = Byte(kHeadsColumn);
  if (byte == kLiteralHead) {
    const unsigned low = Byte(kHeadsColumn);
    return low | static_cast<unsigned>(Byte(kHeadsColumn)) << 8;
  }
  if (byte >= head_table_size_) Fail("a head that the block's table lacks");
  return head_table_[byte];
}

inline std::uint64_t EventDecoder::HandedOut(const Event& event) {
  const unsigned of_class =
      size_class::Of(event.layer, event.size_bytes, class_shift_);
  const std::uint64_t predicted =
      predictor_ && IsPredictable(event) ? predictor_->Predict(event) : 0;
  const unsigned code = Byte(kBirthsColumn);
  const auto birth = static_cast<Birth>(code);
  std::uint64_t address = predicted;
  if (code > kPredicted) Fail("an unknown kind of birth");
  if (birth == kExplicit) {
    address = Address();
  } else if (birth == kPredicted) {
    if (predicted == 0) Fail("an address that the clone cannot tell");
  } else if (!model_->AddressOf(birth, of_class, &address)) {
    Fail("a block that was never given up is handed out again");
  }
  births_->Born(model_->born(), address, of_class);
  model_->Born(address, of_class, birth,
               size_class::Step(of_class, class_shift_));
  return address;
}

inline std::uint64_t EventDecoder::DeathNumber() {
  const unsigned byte = Byte(kDeathsColumn);
  if (byte < kWideDeath) return byte;
  const unsigned bits = byte - kWideDeath;
  if (bits < static_cast<unsigned>(std::bit_width(kWideDeath)) ||
      bits > kMostDeathBits) {
    Fail("an unknown kind of death");
  }
  std::uint64_t death = std::uint64_t{1} << (bits - 1);
  for (unsigned i = 0; 8 * i < bits - 1; ++i) {
    death ^= std::uint64_t{Byte(static_cast<ColumnId>(kDeathRestColumn + i))}
             << 8 * i;
  }
  return death;
}

inline std::uint64_t EventDecoder::GivenUp() {
  const std::uint64_t death = DeathNumber();
  if (death == kExplicitDeath) {
    const std::uint64_t address = Address();
    model_->DiedByAddress(address);
    return address;
  }
  AddressModel::Ordinal ordinal;
  if (!model_->OrdinalOf(death, &ordinal)) {
    Fail("the death of a birth that the window lacks");
  }
  const std::uint64_t address = births_->AddressOf(ordinal);
  model_->DiedByOrdinal(ordinal, address, births_->ClassOf(ordinal));
  return address;
}

inline void EventDecoder::DecodeRequest(unsigned head, Event* event) {
  event->kind = static_cast<EventKind>(head & kKindMask);
  event->layer = static_cast<Layer>(head >> kLayerShift & kLayerMask);
  event->size_bytes = head >> kSizeShift;
  const bool freed = event->kind == EventKind::kFree;
  if (freed) {
    if (event->size_bytes != 0) Fail("a free with a size");
  } else if (event->size_bytes == kWideSize) {
    event->size_bytes = Wide();
  }
  if (event->kind == EventKind::kAligned) {
    const unsigned log2 = Byte(kWideColumn);
    if (log2 > 63) Fail("an alignment over 2^63");
    event->align_bytes = std::uint64_t{1} << log2;
  }
  const bool moved = event->kind == EventKind::kRealloc;
  if ((head & kExtrasBit) != 0) {
    const unsigned extras = Byte(kWideColumn);
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
  if (moved) event->old_address = GivenUp();
  if (freed) {
    event->address = GivenUp();
    event->type = NumberOf(kFreedTypesColumn, NameSpace::kType);
  } else {
    event->address = HandedOut(*event);
    event->type = NumberOf(kMadeTypesColumn, NameSpace::kType);
    event->site = NumberOf(kSitesColumn, NameSpace::kSite);
  }
  ++request_;
}

bool EventDecoder::DecodeOther(unsigned head, Event* event) {
  const unsigned sub_kind = head >> kLayerShift & kLayerMask;
  if (head >> (kLayerShift + 2) != 0) Fail("bits set that mean nothing");
  switch (head & kKindMask) {
    case kArena:
      if (sub_kind > kArenaHeld) Fail("an unknown arena event");
      if (sub_kind == kArenaHeld) {
        event->kind = EventKind::kHeld;
        event->layer = Layer::kObject;
        event->type = Checked(Wide(), NameSpace::kType);
        const unsigned owner = Byte(kWideColumn);
        if (owner >= kOwners) Fail("an unknown owner");
        event->owner = static_cast<Owner>(owner);
        event->lag = Wide();
        event->address = Address();
        return true;
      }
      event->kind = sub_kind == kArenaAcquired ? EventKind::kArenaAcquire
                                               : EventKind::kArenaRelease;
      event->layer = Layer::kObject;
      event->size_bytes = Wide();
      event->address = Address();
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
      event->name = Name(kWideColumn);
      return true;
  }
}

void EventDecoder::Fail(const std::string& what) const {
  throw InputError(where_ + ": " + what +
                   "; the file was damaged or not written by arenalab");
}

std::uint32_t EventDecoder::Checked(std::uint64_t number,
                                    NameSpace space) const {
  if (number > names_.size(space)) Fail("a type or call site without a name");
  return static_cast<std::uint32_t>(number);
}

std::uint32_t EventDecoder::NumberOf(ColumnId id, NameSpace space) {
  return present_[PlaceOf(id)] ? Checked(Varint(id), space) : 0;
}

std::uint32_t EventDecoder::Wide32() {
  const std::uint64_t value = Wide();
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    Fail("a thread or state number over 32 bits");
  }
  return static_cast<std::uint32_t>(value);
}

std::string_view EventDecoder::Name(ColumnId id) {
  const std::uint64_t bytes = Varint(id);
  Column& column = columns_[PlaceOf(id)];
  if (bytes > kMaxNameBytes || bytes > column.bytes()) {
    Fail("a name longer than its column");
  }
  const std::string_view name(reinterpret_cast<const char*>(column.at), bytes);
  column.at += bytes;
  return name;
}

}  // namespace arenalab
