// See window.h.
#include "tracer/collector/window.h"

#include <charconv>

namespace arenalab {
namespace {

struct Unit {
  std::string_view name;
  bool bytes;
  double scale;
};
constexpr Unit kUnits[] = {{"K", true, 1 << 10},     {"M", true, 1 << 20},
                           {"G", true, 1 << 30},     {"s", false, 1e9},
                           {"min", false, 60 * 1e9}, {"h", false, 3600 * 1e9}};

}  // namespace

bool ParseRotation(const std::string& text, Window* window) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  // Not more than a year or a petabyte, which also keeps out `inf`.
  if (error != std::errc{} || !(number > 0) || number > 1e6) return false;
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    const auto value = static_cast<std::uint64_t>(number * known.scale);
    (known.bytes ? window->rotate_bytes : window->rotate_ns) = value;
    return value != 0;
  }
  return false;
}

std::string PartPath(std::string_view path, std::size_t part) {
  constexpr std::string_view kSuffix = ".trace";
  if (part == 1) return std::string(path);
  const bool suffixed = path.ends_with(kSuffix);
  if (suffixed) path.remove_suffix(kSuffix.size());
  return std::string(path) + ".part" + std::to_string(part) +
         (suffixed ? std::string(kSuffix) : "");
}

}  // namespace arenalab
