// Formatting of bytes, counts and text; see quantity.h.
#include "visualizer/quantity.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace arenalab {

std::string FormatBytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = std::fabs(bytes);
  int unit = 0;
  while (value >= 999.5 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  char text[64];
  std::snprintf(text, sizeof text, "%s%.*f %s", bytes < 0 ? "\u2212" : "",
                digits, value, kUnits[unit]);
  return text;
}

std::string FormatCount(std::int64_t count) {
  const std::string digits = std::to_string(std::llabs(count));
  std::string text = count < 0 ? "\u2212" : "";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += "\u202f";
    text += digits[i];
  }
  return text;
}

std::string BytesOf(const nlohmann::json& value) {
  return value.is_number() ? FormatBytes(value.get<double>()) : "n/a";
}

std::string CountOf(const nlohmann::json& value) {
  return value.is_number() ? FormatCount(value.get<std::int64_t>()) : "n/a";
}

const nlohmann::json& At(const nlohmann::json& object, std::string_view key) {
  static const nlohmann::json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(std::string(key));
  return found == object.end() ? kNull : *found;
}

std::string TextOf(const nlohmann::json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace arenalab
