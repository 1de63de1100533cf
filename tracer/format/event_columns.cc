// See event_columns.h. What runs for each event is `inline`, or the compiler,
// which makes code for shared libraries too, would not inline it.
#include "tracer/format/event_columns.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "tracer/format/varint.h"

namespace arenalab {

using namespace layout;

namespace {

constexpr std::uint32_t kBytesPerHead = 3;
// A realloc: one given up, one handed out.
constexpr std::uint32_t kAddressesPerEvent = 2;
// Context, size, alignment, extras and two escaped addresses, without a name.
constexpr std::uint32_t kWideBytesPerEvent = 128;
static_assert(kWideBytesPerEvent >= 9 * kMaxVarintBytes + 2);
constexpr std::uint32_t kAddressBytes = 4;
constexpr std::uint32_t kBytesPerNumber = 5;  // of a name: 32 bits

}  // namespace

struct EventColumns::Buffers {
  std::uint8_t heads[kBytesPerHead * kMaxHeads];
  std::uint8_t births[kMaxHeads];
  std::uint8_t deaths[kMaxHeads];
  std::uint8_t death_rests[kDeathRestBytes][kMaxHeads];
  std::uint8_t addresses[kAddressBytes][kAddressesPerEvent * kMaxHeads];
  std::uint8_t wide[kMaxWideBytes];
  std::uint16_t table[kMaxHeadTable];
  std::uint8_t byte_of[1u << 16];  // of a head, plus one; 0: none yet
};
static_assert(kMaxHeadTable < 256);
static_assert(kBytesPerHead * kMaxHeads + kMaxHeads +
                  (1 + kDeathRestBytes) * kMaxHeads +
                  kAddressBytes * kAddressesPerEvent * kMaxHeads +
                  kMaxWideBytes + 3 * kMaxHeads * kBytesPerNumber +
                  kMaxNamesBytes + 4096 <
              kMaxRawBytes);

EventColumns::EventColumns(TraceWriterOptions options)
    : buffers_(std::make_unique_for_overwrite<Buffers>()),
      heads_end_(buffers_->heads),
      births_end_(buffers_->births),
      deaths_end_(buffers_->deaths),
      wide_end_(buffers_->wide),
      wide_limit_(buffers_->wide + kMaxWideBytes - kWideBytesPerEvent -
                  kMaxNameBytes),
      options_(std::move(options)),
      model_(options_.window_log2),
      ordinals_log2_(options_.window_log2 + 1),
      ordinals_(std::size_t{1} << ordinals_log2_, ~std::uint32_t{0}),
      compressor_(ZSTD_createCCtx()) {
  std::memset(buffers_->byte_of, 0, sizeof buffers_->byte_of);
}

EventColumns::~EventColumns() { ZSTD_freeCCtx(compressor_); }

void EventColumns::AddName(NameSpace space, std::string_view name) {
  name = name.substr(0, kMaxNameBytes);
  std::uint8_t head[1 + kMaxVarintBytes] = {static_cast<std::uint8_t>(space)};
  names_.insert(names_.end(), head, PutVarint(head + 1, name.size()));
  names_.insert(names_.end(), name.begin(), name.end());
}

void EventColumns::Sparse::Put(std::uint32_t place, std::uint32_t value) {
  if (value == 0) return;
  FillTo(place);
  std::uint8_t bytes[kMaxVarintBytes];
  bytes_.insert(bytes_.end(), bytes, PutVarint(bytes, value));
  places_ = place + 1;
}

void EventColumns::Sparse::FillTo(std::uint32_t places) {
  bytes_.insert(bytes_.end(), places - places_, 0);
  places_ = places;
}

void EventColumns::Sparse::Clear() {
  bytes_.clear();
  places_ = 0;
}

void EventColumns::Append(const Event& event, std::uint64_t request) {
  if (heads_ == 0) BeginBlock(request);
  PutContext(event);
  if (IsRequest(event.kind)) {
    PutRequest(event);
  } else {
    PutOther(event);
  }
  if (options_.predictor) options_.predictor->Observe(event);
}

void EventColumns::BeginBlock(std::uint64_t request) {
  begin_.first_request = request;
  begin_.time_ns = time_ns_;
  begin_.thread = thread_;
  begin_.state = state_;
  begin_.class_shift = static_cast<std::uint8_t>(class_shift_);
  begin_.window_log2 = static_cast<std::uint8_t>(model_.window_log2());
}

inline void EventColumns::PutHead(unsigned kind, unsigned layer,
                                  unsigned rest) {
  const unsigned head = kind | layer << kLayerShift | rest;
  ++heads_;
  std::uint8_t& byte = buffers_->byte_of[head];
  if (byte == 0) {
    if (table_ == kMaxHeadTable) {
      *heads_end_++ = kLiteralHead;
      *heads_end_++ = static_cast<std::uint8_t>(head);
      *heads_end_++ = static_cast<std::uint8_t>(head >> 8);
      return;
    }
    buffers_->table[table_] = static_cast<std::uint16_t>(head);
    byte = static_cast<std::uint8_t>(++table_);
  }
  *heads_end_++ = static_cast<std::uint8_t>(byte - 1);
}

inline void EventColumns::PutWide(std::uint64_t value) {
  wide_end_ = PutVarint(wide_end_, value);
}

void EventColumns::PutName(std::string_view name) {
  name = name.substr(0, kMaxNameBytes);
  PutWide(name.size());
  wide_end_ = std::copy(name.begin(), name.end(), wide_end_);
}

void EventColumns::PutAddress(std::uint64_t address) {
  const std::uint64_t base = address & ~(kRegionBytes - 1);
  std::uint32_t word = kEscape;
  if (address % (1u << kAddressUnitShift) == 0 && address != 0 &&
      FindRegion(base)) {
    word = last_region_ << kRegionShift |
           static_cast<std::uint32_t>((address - base) >> kAddressUnitShift);
  }
  for (unsigned i = 0; i < kAddressBytes; ++i) {
    buffers_->addresses[i][explicit_] =
        static_cast<std::uint8_t>(word >> 8 * i);
  }
  ++explicit_;
  if (word == kEscape) PutWide(address);
}

// Sets last_region_; false where the block has no region left.
bool EventColumns::FindRegion(std::uint64_t base) {
  if (last_region_ < region_count_ && regions_[last_region_] == base) {
    return true;
  }
  std::uint64_t* const end = regions_ + region_count_;
  const std::uint64_t* const found = std::find(regions_, end, base);
  if (found == end) {
    if (region_count_ == kMaxRegions) return false;
    regions_[region_count_++] = base;
  }
  last_region_ = static_cast<std::uint32_t>(found - regions_);
  return true;
}

inline std::uint32_t& EventColumns::OrdinalSlot(std::uint64_t address) {
  return ordinals_[address * 0x9e3779b97f4a7c15u >> (64 - ordinals_log2_)];
}

inline void EventColumns::PutBirth(const Event& event) {
  const unsigned shift = begin_.class_shift;
  const unsigned of_class =
      AddressModel::ClassOf(event.layer, event.size_bytes, shift);
  Birth code = model_.CodeOf(event.address, of_class);
  if (options_.predictor && IsPredictable(event)) {
    const std::uint64_t predicted = options_.predictor->Predict(event);
    if (predicted != 0 && predicted == event.address) code = kPredicted;
  }
  *births_end_++ = code;
  OrdinalSlot(event.address) = model_.born();
  model_.Born(event.address, of_class, code, shift);
  if (code == kExplicit) PutAddress(event.address);
}

inline void EventColumns::PutDeath(std::uint64_t address) {
  const AddressModel::Ordinal ordinal = OrdinalSlot(address);
  if (model_.Remembers(ordinal) && model_.AddressOf(ordinal) == address) {
    PutDeathNumber(model_.DeathOf(ordinal));
    return model_.DiedByOrdinal(ordinal);
  }
  *deaths_end_++ = kExplicitDeath;
  model_.DiedByAddress(address);
  PutAddress(address);
}

inline void EventColumns::PutDeathNumber(std::uint64_t death) {
  if (death < kWideDeath) {
    *deaths_end_++ = static_cast<std::uint8_t>(death);
    return;
  }
  const auto bits = static_cast<unsigned>(std::bit_width(death));
  *deaths_end_++ = static_cast<std::uint8_t>(kWideDeath + bits);
  for (unsigned i = 0; 8 * i < bits - 1; ++i) {
    // The highest bit is the one that is known.
    const std::uint64_t rest = death ^ std::uint64_t{1} << (bits - 1);
    buffers_->death_rests[i][death_rests_[i]++] =
        static_cast<std::uint8_t>(rest >> 8 * i);
  }
}

inline void EventColumns::PutContext(const Event& event) {
  if (event.thread != thread_) {
    thread_ = event.thread;
    PutHead(kContext, kContextThread, 0);
    PutWide(thread_);
  }
  if (event.state != state_) {
    state_ = event.state;
    PutHead(kContext, kContextState, 0);
    PutWide(state_);
  }
  if (event.time_ns > time_ns_) {
    PutHead(kContext, kContextTime, 0);
    PutWide(event.time_ns - time_ns_);
    time_ns_ = event.time_ns;
  }
}

inline void EventColumns::PutRequest(const Event& event) {
  const bool freed = event.kind == EventKind::kFree;
  const bool moved = event.kind == EventKind::kRealloc;
  const unsigned extras = (event.depth != 0 ? kExtraDepth : 0) |
                          (moved && event.lag != 0 ? kExtraLag : 0);
  const unsigned size = freed ? 0
                              : static_cast<unsigned>(std::min<std::uint64_t>(
                                    event.size_bytes, kWideSize));
  PutHead(static_cast<unsigned>(event.kind), static_cast<unsigned>(event.layer),
          (extras != 0 ? kExtrasBit : 0) | size << kSizeShift);
  if (size == kWideSize) PutWide(event.size_bytes);
  if (event.kind == EventKind::kAligned) {
    *wide_end_++ = static_cast<std::uint8_t>(
        event.align_bytes == 0 ? 0 : std::bit_width(event.align_bytes) - 1);
  }
  if (extras != 0) {
    *wide_end_++ = static_cast<std::uint8_t>(extras);
    if ((extras & kExtraDepth) != 0) PutWide(event.depth);
    if ((extras & kExtraLag) != 0) PutWide(event.lag);
  }
  if (moved) PutDeath(event.old_address);
  if (freed) {
    PutDeath(event.address);
    freed_types_.Put(frees_++, event.type);
  } else {
    PutBirth(event);
    made_types_.Put(makes_, event.type);
    sites_.Put(makes_++, event.site);
  }
}

void EventColumns::PutOther(const Event& event) {
  switch (event.kind) {
    case EventKind::kArenaAcquire:
    case EventKind::kArenaRelease:
      PutHead(kArena,
              event.kind == EventKind::kArenaAcquire ? kArenaAcquired
                                                     : kArenaReleased,
              0);
      PutWide(event.size_bytes);
      return PutAddress(event.address);
    case EventKind::kHeld:
      PutHead(kArena, kArenaHeld, 0);
      PutWide(event.type);
      *wide_end_++ = static_cast<std::uint8_t>(event.owner);
      PutWide(event.lag);
      return PutAddress(event.address);
    case EventKind::kMark:
      PutHead(kNote, kNoteMark, 0);
      return PutName(event.name);
    case EventKind::kFork:
      PutHead(kNote, kNoteFork, 0);
      PutWide(event.number);
      return PutName(event.name);
    default:
      PutHead(kContext, kContextMemory, 0);
      return PutWide(event.rss_bytes);
  }
}

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
  for (unsigned i = 0; i < kAddressBytes; ++i) {
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

  for (unsigned i = 0; i < table_; ++i) from.byte_of[from.table[i]] = 0;
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
