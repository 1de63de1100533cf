// The hot path of EventColumns: requests by the row. The same columns as by
// Append, which round_trip_test compares; what is rare goes by its members.
//
// The columns' ends are kept in locals: a store of a byte may alias any member.
#include <algorithm>

#include "tracer/format/event_buffers.h"
#include "tracer/format/event_columns.h"
#include "tracer/format/varint.h"

namespace arenalab {

using namespace layout;

namespace {

// A head without its size; of a free's word, without the type.
constexpr unsigned kNoSize = (1u << kSizeShift) - 1;

std::uint32_t Count(const std::uint8_t* begin, const std::uint8_t* end) {
  return static_cast<std::uint32_t>(end - begin);
}

}  // namespace

// The code of a word with its bias subtracted; nullptr where it is not plain.
const EventColumns::Code* EventColumns::PlainCode(unsigned word) {
  if (!PlainRequests::IsPlain(word)) return nullptr;
  const bool typed =
      PlainRequests::Kind(word) == EventKind::kFree && (word & ~kNoSize) != 0;
  const unsigned head = typed ? word & kNoSize : word;
  const Code* code = &buffers_->codes[head];
  if (!code->known) code = &NewCode(head);
  if (!typed) return code;
  used_codes_.push_back(static_cast<std::uint16_t>(word));
  return &(buffers_->codes[word] = *code);
}

PlainTaken EventColumns::AppendPlain(const PlainRequests& plain,
                                     std::uint64_t request) {
  if (options_.predictor || plain.count == 0 ||
      !PlainRequests::IsPlain(plain.words[0] - plain.bias)) {
    return {};
  }
  if (heads_ == 0) BeginBlock(request);
  PutContext(plain.thread, 0, plain.time_ns);

  // A realloc's two addresses may both be escaped.
  constexpr std::ptrdiff_t kMostWide = 2 * kMaxVarintBytes;
  const std::ptrdiff_t most = std::min<std::ptrdiff_t>(
      kMaxHeads - heads_, (wide_limit_ - wide_end_) / kMostWide + 1);
  const Code* const codes = buffers_->codes;
  const BirthIndex::View index = births_.view();
  AddressState model = model_;
  const std::uint64_t bias = plain.bias;
  const std::uint32_t site = plain.site;
  const std::uint64_t* word = plain.words;
  const std::uint64_t* const end = word + plain.count;
  std::uint8_t* heads = heads_end_;
  std::uint8_t* births = births_end_;
  std::uint8_t* deaths = deaths_end_;
  std::ptrdiff_t left = most;

  for (; word != end && left != 0; ++word, --left) {
    const std::uint64_t first = *word - bias;
    const std::uint64_t address = first >> 16;
    Code code = codes[first & PlainRequests::kHeadMask];
    if (!code.plain) [[unlikely]] {
      const Code* const found =
          PlainCode(static_cast<unsigned>(first & PlainRequests::kHeadMask));
      if (found == nullptr) break;
      code = *found;
    }
    if (code.kind == static_cast<std::uint8_t>(EventKind::kFree)) {
      BirthIndex::Found found;
      if (index.Find(address, model.born(), &found)) [[likely]] {
        const std::uint64_t death = model.DeathOf(found.ordinal);
        if (death < kWideDeath) [[likely]] {
          *deaths++ = static_cast<std::uint8_t>(death);
        } else {
          deaths_end_ = deaths;
          PutDeathNumber(death);
          deaths = deaths_end_;
        }
        model.DiedByOrdinal(found.ordinal, address, found.of_class);
      } else {
        *deaths++ = kExplicitDeath;
        model.DiedByAddress(address);
        PutAddress(address);
      }
      if (const std::uint64_t type = PlainRequests::Size(first); type != 0) {
        const auto done = static_cast<std::uint32_t>(most - left);
        freed_types_.Put(frees_ + done - Count(births_end_, births),
                         plain.TypeOf(type));
      }
    } else {
      if (code.kind == static_cast<std::uint8_t>(EventKind::kRealloc))
          [[unlikely]] {
        if (word + 1 == end) break;  // damaged
        deaths_end_ = deaths;
        model_.Set(model);
        PutDeath(*++word);
        model = model_;
        deaths = deaths_end_;
      }
      const Birth birth = model.CodeOf(address, code.of_class);
      if (site != 0) sites_.Put(makes_ + Count(births_end_, births), site);
      *births++ = birth;
      index.Born(model.born(), address, code.of_class);
      model.Born(address, code.of_class, birth, code.step);
      if (birth == kExplicit) PutAddress(address);
    }
    *heads++ = code.byte;
    if (code.byte == kLiteralHead) [[unlikely]] {
      const bool freed =
          code.kind == static_cast<std::uint8_t>(EventKind::kFree);
      *heads++ = static_cast<std::uint8_t>(freed ? first & kNoSize : first);
      *heads++ = static_cast<std::uint8_t>(freed ? 0 : first >> 8);
    }
  }

  const auto taken = static_cast<std::uint32_t>(most - left);
  const std::uint32_t made = Count(births_end_, births);
  heads_ += taken;
  makes_ += made;
  frees_ += taken - made;
  heads_end_ = heads;
  births_end_ = births;
  deaths_end_ = deaths;
  model_.Set(model);
  return {static_cast<std::size_t>(word - plain.words), taken};
}

}  // namespace arenalab
