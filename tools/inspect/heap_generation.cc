// Looks for a version's text, and for the generation that fits.
#include "tools/inspect/heap_generation.h"

#include <cctype>
#include <cstring>

#include "allocators/pymalloc/generation.h"

namespace arenalab {
namespace {

// The length of `3.11.2` at `text` if what follows is as in sys.version,
// `3.11.2 (main, ...) [GCC 12.2.0]` with or without a `+` or `rc1`; else 0.
std::size_t VersionAt(const char* text, const char* end) {
  const char* at = text;
  for (int part = 0; part < 3; ++part) {
    if (part > 0 && (at == end || *at++ != '.')) return 0;
    const char* const digits = at;
    while (at < end && std::isdigit(static_cast<unsigned char>(*at))) ++at;
    if (at == digits || at - digits > 2) return 0;
  }
  const std::size_t length = static_cast<std::size_t>(at - text);
  while (at < end &&
         (std::isalnum(static_cast<unsigned char>(*at)) || *at == '+'))
    ++at;
  if (end - at < 8 || at[0] != ' ' || at[1] != '(') return 0;
  const std::size_t rest = std::min<std::size_t>(end - at, 160);
  return memmem(at, rest, ") \n[", 4) != nullptr ||
                 memmem(at, rest, ") [", 3) != nullptr
             ? length
             : 0;
}

}  // namespace

std::optional<std::string> FindPythonVersion(TargetMemory& memory) {
  std::optional<std::string> version;
  std::vector<char> bytes;
  bool module = false;
  std::uint64_t before = 0;
  for (const Mapping& mapping : memory.mappings()) {
    // Static data that is not in the file follows what is.
    module = mapping.is_file() ||
             (module && mapping.path.empty() && mapping.begin == before);
    before = mapping.end;
    if (!module || !mapping.writable || mapping.shared) continue;
    memory.VisitContent(
        mapping.begin, mapping.end,
        [&](std::uint64_t begin, std::uint64_t end) {
          if (version) return;
          bytes.resize(end - begin);
          bytes.resize(memory.Read(begin, bytes.data(), bytes.size()));
          const char* at = bytes.data();
          const char* const last = at + bytes.size();
          while ((at = static_cast<const char*>(
                      std::memchr(at, '3', last - at))) != nullptr) {
            const std::size_t length = VersionAt(at, last);
            if (length > 0 && (at == bytes.data() || at[-1] == '\0')) {
              version = std::string(at, length);
              return;
            }
            ++at;
          }
        });
    if (version) break;
  }
  return version;
}

std::string_view GenerationOf(const HeapReading& heap,
                              const std::optional<std::string>& version) {
  const bool tree = heap.policy.address_test == AddressTest::kRadixTree;
  std::string_view own, oldest;
  if (version)
    own = ResolveGeometry("cpython-" + *version).value_or(std::string_view());
  bool own_fits = false;
  ForEachGeneration([&]<class G>() {
    if (!(G::kGeometry == heap.geometry) ||
        (G::kPolicy.address_test == AddressTest::kRadixTree) != tree ||
        (tree && G::kPolicy.address_bits != heap.policy.address_bits))
      return;
    if (oldest.empty()) oldest = G::kName;
    own_fits = own_fits || G::kName == own;
  });
  return own_fits ? own : oldest;
}

}  // namespace arenalab
