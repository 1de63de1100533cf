// Reads `key:value,key:value`, the form in which every allocator gets its
// settings (HeapOptions::settings). Allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace arenalab {

// Calls visitor(key, value) for each entry until one call returns false; false
// then. An entry without a colon has an empty value.
template <typename Visitor>
constexpr bool VisitSettings(std::string_view settings, Visitor&& visitor) {
  while (!settings.empty()) {
    const std::size_t comma = settings.find(',');
    std::string_view entry = settings.substr(0, comma);
    settings.remove_prefix(comma == entry.npos ? settings.size() : comma + 1);
    const std::size_t colon = entry.find(':');
    const std::string_view key = entry.substr(0, colon);
    if (colon == entry.npos) {
      entry = {};
    } else {
      entry.remove_prefix(colon + 1);
    }
    if (!visitor(key, entry)) return false;
  }
  return true;
}

// A decimal number with an optional minus sign; nothing else.
constexpr std::optional<std::int64_t> NumberIn(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::int64_t number = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return negative ? -number : number;
}

}  // namespace arenalab
