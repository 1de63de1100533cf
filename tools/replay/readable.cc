// printf with the right number of digits.
#include "tools/replay/readable.h"

#include <cmath>
#include <cstdio>

namespace arenalab {

std::string ReadableBytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  // 1023.5 would print as 1024.
  while (std::abs(bytes) >= 1023.5 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  char text[32];
  const int digits = unit == 0                 ? 0
                     : std::abs(bytes) < 9.995 ? 2
                     : std::abs(bytes) < 99.95 ? 1
                                               : 0;
  std::snprintf(text, sizeof(text), "%.*f %s", digits, bytes, kUnits[unit]);
  return text;
}

std::string ReadableCount(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string ReadableRatio(double ratio) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*fx", ratio < 9.995 ? 2 : 1, ratio);
  return text;
}

}  // namespace arenalab
