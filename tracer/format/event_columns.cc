// See event_columns.h. What runs for each event is `inline`, or the compiler,
// which makes code for shared libraries too, would not inline it.
#include "tracer/format/event_columns.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "tracer/format/event_buffers.h"
#include "tracer/format/varint.h"

namespace arenalab {

using namespace layout;

namespace {

// Context, size, alignment, extras and two escaped addresses, without a name.
constexpr std::uint32_t kWideBytesPerEvent = 128;
static_assert(kWideBytesPerEvent >= 9 * kMaxVarintBytes + 2);

}  // namespace

EventColumns::EventColumns(TraceWriterOptions options)
    : buffers_(NewBuffers()),
      heads_end_(buffers_->heads),
      births_end_(buffers_->births),
      deaths_end_(buffers_->deaths),
      wide_end_(buffers_->wide),
      wide_limit_(buffers_->wide + kMaxWideBytes - kWideBytesPerEvent -
                  kMaxNameBytes),
      options_(std::move(options)),
      model_(options_.window_log2),
      births_(options_.window_log2),
      compressor_(ZSTD_createCCtx()) {}

EventColumns::Buffers* EventColumns::NewBuffers() {
  void* const zeroes = std::calloc(1, sizeof(Buffers));
  if (zeroes == nullptr) throw std::bad_alloc();
  return static_cast<Buffers*>(zeroes);
}

void EventColumns::Freed::operator()(Buffers* buffers) const {
  std::free(buffers);
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
  PutContext(event.thread, event.state, event.time_ns);
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

const EventColumns::Code& EventColumns::NewCode(unsigned head) {
  Code& code = buffers_->codes[head];
  code.known = true;
  code.plain = PlainRequests::IsPlain(head);
  code.kind = static_cast<std::uint8_t>(PlainRequests::Kind(head));
  const unsigned of_class =
      size_class::Of(static_cast<Layer>(head >> kLayerShift & kLayerMask),
                     PlainRequests::Size(head), begin_.class_shift);
  code.of_class = static_cast<std::uint8_t>(of_class);
  code.step = static_cast<std::uint16_t>(
      size_class::Step(of_class, begin_.class_shift));
  code.byte = kLiteralHead;
  used_codes_.push_back(static_cast<std::uint16_t>(head));
  if (table_ < kMaxHeadTable) {
    code.byte = static_cast<std::uint8_t>(table_);
    buffers_->table[table_++] = static_cast<std::uint16_t>(head);
  }
  return code;
}

inline void EventColumns::PutHead(unsigned kind, unsigned layer,
                                  unsigned rest) {
  const unsigned head = kind | layer << kLayerShift | rest;
  ++heads_;
  const Code* code = &buffers_->codes[head];
  if (!code->known) code = &NewCode(head);
  *heads_end_++ = code->byte;
  if (code->byte == kLiteralHead) {
    *heads_end_++ = static_cast<std::uint8_t>(head);
    *heads_end_++ = static_cast<std::uint8_t>(head >> 8);
  }
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
  for (unsigned i = 0; i < Buffers::kAddressBytes; ++i) {
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

inline void EventColumns::PutBirth(const Event& event) {
  const unsigned shift = begin_.class_shift;
  const unsigned of_class =
      size_class::Of(event.layer, event.size_bytes, shift);
  Birth code = model_.CodeOf(event.address, of_class);
  if (options_.predictor && IsPredictable(event)) {
    const std::uint64_t predicted = options_.predictor->Predict(event);
    if (predicted != 0 && predicted == event.address) code = kPredicted;
  }
  *births_end_++ = code;
  births_.view().Born(model_.born(), event.address, of_class);
  model_.Born(event.address, of_class, code, size_class::Step(of_class, shift));
  if (code == kExplicit) PutAddress(event.address);
}

void EventColumns::PutDeath(std::uint64_t address) {
  BirthIndex::Found found;
  if (births_.view().Find(address, model_.born(), &found)) {
    PutDeathNumber(model_.DeathOf(found.ordinal));
    return model_.DiedByOrdinal(found.ordinal, address, found.of_class);
  }
  *deaths_end_++ = kExplicitDeath;
  model_.DiedByAddress(address);
  PutAddress(address);
}

void EventColumns::PutDeathNumber(std::uint64_t death) {
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

void EventColumns::PutContext(std::uint32_t thread, std::uint32_t state,
                              std::uint64_t time_ns) {
  if (thread != thread_) {
    thread_ = thread;
    PutHead(kContext, kContextThread, 0);
    PutWide(thread_);
  }
  if (state != state_) {
    state_ = state;
    PutHead(kContext, kContextState, 0);
    PutWide(state_);
  }
  if (time_ns > time_ns_) {
    PutHead(kContext, kContextTime, 0);
    PutWide(time_ns - time_ns_);
    time_ns_ = time_ns;
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

}  // namespace arenalab
