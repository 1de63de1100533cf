// See interpreter.h.
#include "tracer/collector/interpreter.h"

#include <cstdio>
#include <optional>

namespace arenalab {
namespace {

struct Release {
  int major = 0;
  int minor = 0;
  int micro = 0;
};

Release Parse(std::string_view version) {
  Release release;
  std::sscanf(std::string(version).c_str(), "%d.%d.%d", &release.major,
              &release.minor, &release.micro);
  return release;
}

// "Small block threshold = 512, in 64 size classes."
std::optional<int> SizeClasses(std::string_view statistics) {
  constexpr std::string_view kBefore = "Small block threshold = ";
  const std::size_t at = statistics.find(kBefore);
  if (at == statistics.npos) return std::nullopt;
  int threshold;
  int classes;
  if (std::sscanf(std::string(statistics.substr(at + kBefore.size())).c_str(),
                  "%d, in %d size classes", &threshold, &classes) != 2) {
    return std::nullopt;
  }
  return classes;
}

// 8-byte alignment: 3.6 and 3.7.0 to 3.7.3.
int ClassesOf(const Release& release) {
  return release.minor < 7 || (release.minor == 7 && release.micro < 4) ? 64
                                                                        : 32;
}

}  // namespace

std::string PythonRelease(std::string_view version) {
  return std::string(version.substr(0, version.find(' ')));
}

std::string PymallocGeneration(std::string_view version,
                               std::string_view statistics) {
  const Release release = Parse(version);
  const std::optional<int> classes = SizeClasses(statistics);
  if (classes == 64 && ClassesOf(release) == 32) return "classic";
  if (classes == 32 && ClassesOf(release) == 64) return "cpython-3.7.4";
  return "cpython-" + std::to_string(release.major) + "." +
         std::to_string(release.minor) + "." + std::to_string(release.micro);
}

int PymallocAlignment(std::string_view version, std::string_view statistics) {
  return SizeClasses(statistics).value_or(ClassesOf(Parse(version))) == 64 ? 8
                                                                           : 16;
}

std::string AllocatorBeneath(std::string_view name, bool has_statistics) {
  if (name.empty()) return has_statistics ? "pymalloc" : "malloc";
  if (name.ends_with("_debug")) return "debug";
  if (name == "default") return "pymalloc";
  return std::string(name);
}

}  // namespace arenalab
