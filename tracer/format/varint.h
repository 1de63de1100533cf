// LEB128, unsigned: seven bits a byte, the lowest first, the top bit set on all
// but the last byte. 300 is `ac 02`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenalab {

inline constexpr std::size_t kMaxVarintBytes = 10;

// Writes at `out`, which has room for kMaxVarintBytes; returns the end.
inline std::uint8_t* PutVarint(std::uint8_t* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<std::uint8_t>(value);
  return out;
}

// Advances *in; false where `end` comes first or the number exceeds 64 bits.
inline bool GetVarint(const std::uint8_t** in, const std::uint8_t* end,
                      std::uint64_t* value) {
  std::uint64_t result = 0;
  for (unsigned shift = 0; shift < 64 && *in != end; shift += 7) {
    const std::uint64_t byte = *(*in)++;
    if (shift == 63 && byte > 1) return false;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

}  // namespace arenalab
