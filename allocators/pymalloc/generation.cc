// From a release's name to its generation; the table is generation.h's.
#include "allocators/pymalloc/generation.h"

#include <charconv>

namespace arenalab {
namespace {

constexpr int kNewest = 1 << 20;

struct Release {
  int major;
  int minor;
  int point;
};

// The first release of each generation on either line, ascending; the next row
// ends it. 2.7.7 and 3.3 begin `classic` on their lines, and so on.
struct Boundary {
  Release first;
  std::string_view generation;
};
constexpr Boundary kBoundaries[] = {
    {{2, 3, 0}, Cpython23::kName},   {{2, 4, 2}, Cpython242::kName},
    {{2, 5, 0}, Cpython25::kName},   {{2, 7, 7}, Classic::kName},
    {{2, 7, 17}, Cpython374::kName}, {{3, 0, 0}, Cpython25::kName},
    {{3, 3, 0}, Classic::kName},     {{3, 7, 4}, Cpython374::kName},
    {{3, 8, 0}, Cpython38::kName},   {{3, 9, 0}, Cpython39::kName},
    {{3, 10, 0}, Cpython310::kName}, {{3, 11, 0}, Cpython311::kName},
};
constexpr Release kLast2 = {2, 7, kNewest};
constexpr Release kLast3 = {3, 15, kNewest};

constexpr bool NotAfter(const Release& a, const Release& b) {
  if (a.major != b.major) return a.major < b.major;
  if (a.minor != b.minor) return a.minor < b.minor;
  return a.point <= b.point;
}

// `X.Y` or `X.Y.Z`, all of it, without signs or leading zeros.
std::optional<Release> ParseRelease(std::string_view text) {
  int numbers[3] = {0, 0, kNewest};
  int count = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    if (at == end || *at < '0' || *at > '9') return std::nullopt;
    if (*at == '0' && end - at > 1 && at[1] != '.') return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, numbers[count]);
    if (error != std::errc{} || numbers[count] >= kNewest) return std::nullopt;
    ++count;
    if (next == end) break;
    if (*next != '.' || count == 3) return std::nullopt;
    at = next + 1;
  }
  if (count < 2) return std::nullopt;
  return Release{numbers[0], numbers[1], numbers[2]};
}

}  // namespace

std::optional<std::string_view> ResolveGeometry(std::string_view name) {
  for (std::string_view canonical : kGenerationNames)
    if (name == canonical) return canonical;
  constexpr std::string_view kPrefix = "cpython-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::optional<Release> release =
      ParseRelease(name.substr(kPrefix.size()));
  if (!release) return std::nullopt;
  if (!NotAfter(*release, release->major == 2 ? kLast2 : kLast3))
    return std::nullopt;
  std::optional<std::string_view> found;
  for (const Boundary& boundary : kBoundaries)
    if (NotAfter(boundary.first, *release)) found = boundary.generation;
  return found;
}

std::optional<GeometryValues> GeometryOf(std::string_view name) {
  std::optional<GeometryValues> found;
  VisitGeneration(name,
                  [&found]<class H>() { found = H::Generation::kGeometry; });
  return found;
}

}  // namespace arenalab
