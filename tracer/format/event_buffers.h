// Where EventColumns keeps its columns. For its own files only.
#pragma once

#include <cstdint>

#include "tracer/format/event_columns.h"
#include "tracer/format/layout.h"

namespace arenalab {

// What is known of a head in this block; of a free with a type, of its word.
struct EventColumns::Code {
  bool known;
  bool plain;         // it is one of PlainRequests'
  std::uint8_t kind;  // EventKind
  std::uint8_t byte;  // its place in the table, or kLiteralHead
  std::uint8_t of_class;
  std::uint16_t step;  // size_class::Step
};
struct EventColumns::Buffers {
  static constexpr std::uint32_t kBytesPerHead = 3;
  // A realloc: one given up, one handed out.
  static constexpr std::uint32_t kAddressesPerEvent = 2;
  static constexpr std::uint32_t kAddressBytes = 4;
  static constexpr std::uint32_t kBytesPerNumber = 5;  // of a name: 32 bits
  static constexpr std::uint32_t kHeads = layout::kMaxHeads;

  std::uint8_t heads[kBytesPerHead * kHeads];
  std::uint8_t births[kHeads];
  std::uint8_t deaths[kHeads];
  std::uint8_t death_rests[layout::kDeathRestBytes][kHeads];
  std::uint8_t addresses[kAddressBytes][kAddressesPerEvent * kHeads];
  std::uint8_t wide[layout::kMaxWideBytes];
  std::uint16_t table[layout::kMaxHeadTable];
  Code codes[1u << 16];

  static_assert(sizeof(Code) == 8);  // one load
  static_assert(layout::kMaxHeadTable < 256);
  static_assert(kBytesPerHead * kHeads + kHeads +
                    (1 + layout::kDeathRestBytes) * kHeads +
                    kAddressBytes * kAddressesPerEvent * kHeads +
                    layout::kMaxWideBytes + 3 * kHeads * kBytesPerNumber +
                    layout::kMaxNamesBytes + 4096 <
                layout::kMaxRawBytes);
};

}  // namespace arenalab
