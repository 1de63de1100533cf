// Numbers and text as the page shows them. The script prints by the same rules
// (visualizer/src/quantity.js).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace arenalab {

// "12.3 MiB": three significant digits, binary units.
std::string FormatBytes(double bytes);
// "1 234 567", groups set apart by narrow no-break spaces (U+202F).
std::string FormatCount(std::int64_t count);

// The same from a JSON value; "n/a" where it is null, absent or no number.
std::string BytesOf(const nlohmann::json& value);
std::string CountOf(const nlohmann::json& value);

// `object[key]` for objects that may lack it, or be no object: null.
const nlohmann::json& At(const nlohmann::json& object, std::string_view key);
// A string as it is, a number as JSON writes it, "" for null; unescaped.
std::string TextOf(const nlohmann::json& value);

// For text and for attribute values in double quotes.
std::string Escape(std::string_view text);

}  // namespace arenalab
