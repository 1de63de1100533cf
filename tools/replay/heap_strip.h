// The heap's map as text, for terminals and logs: one line an arena, one
// character a pool. The twin of the page's map: both read RESULTS.md's MAP.
//
//   mono    ' ' no arena   '.' free pool   '-' '=' '#' used, to a third, two
//           thirds, more   '@' full
//   colour  two arenas a line, one in the upper and one in the lower half of
//           each character, in the page's colours (256-colour terminals)
//
// ERRORS. InputError where the payload is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace arenalab {

struct MapPayload {
  std::uint64_t arena_bytes = 0;
  std::uint64_t pool_bytes = 0;
  std::uint64_t alignment = 0;
  std::uint64_t header_bytes = 0;
  std::size_t samples = 0;
  std::string data;  // base64 of the gzip of the varints
};

// The heap at `sample`, below map.samples; at most 80 columns. Where there are
// more arenas than `most_lines`, a line stands for several.
std::string HeapStrip(const MapPayload& map, std::size_t sample, bool color,
                      std::size_t most_lines);

}  // namespace arenalab
