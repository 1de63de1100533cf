// The layout of sys._debugmallocstats(); contract in debug_malloc_stats.h.
#include "allocators/pymalloc/debug_malloc_stats.h"

#include <cstdint>

#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

constexpr std::size_t kLabelColumns = 35;
constexpr std::size_t kNumberColumns = 21;

std::string RightAligned(std::string text, std::size_t columns) {
  if (text.size() < columns) text.insert(0, columns - text.size(), ' ');
  return text;
}

std::string WithCommas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

// `label                 =              1,234`; returns the number.
std::uint64_t Line(std::string* out, std::string label, std::uint64_t number) {
  if (label.size() < kLabelColumns) label.resize(kLabelColumns, ' ');
  *out += label + '=' + RightAligned(WithCommas(number), kNumberColumns) + '\n';
  return number;
}

void ClassTable(std::string* out, const Statistics& s,
                const GeometryValues& geometry) {
  *out +=
      "class   size   num pools   blocks in use  avail blocks\n"
      "-----   ----   ---------   -------------  ------------\n";
  for (std::size_t i = 0; i < geometry.classes; ++i) {
    const ClassStatistics& c = s.classes[i];
    if (c.pools == 0) continue;
    *out += RightAligned(std::to_string(i), 5) + ' ' +
            RightAligned(std::to_string(BlockSize(geometry, i)), 6) + ' ' +
            RightAligned(std::to_string(c.pools), 11) + ' ' +
            RightAligned(std::to_string(c.used_blocks), 15) + ' ' +
            RightAligned(std::to_string(c.available_blocks), 13) + '\n';
  }
  *out += '\n';
}

void ArenaMap(std::string* out, const Statistics& s) {
  *out += "\narena map counts\n";
  Line(out, "# arena map mid nodes", s.map_mid_nodes);
  Line(out, "# arena map bot nodes", s.map_bottom_nodes);
  *out += '\n';
  std::uint64_t total = 0;
  total += Line(out, "# bytes lost to arena map root", s.map_root_bytes);
  total += Line(out, "# bytes lost to arena map mid", s.map_mid_bytes);
  total += Line(out, "# bytes lost to arena map bot", s.map_bottom_bytes);
  Line(out, "Total", total);
}

}  // namespace

std::string FormatDebugMallocStats(const Statistics& s,
                                   const GeometryValues& geometry,
                                   const PolicyValues& policy) {
  std::string out =
      "Small block threshold = " + std::to_string(geometry.max_small_bytes) +
      ", in " + std::to_string(geometry.classes) + " size classes.\n\n";
  ClassTable(&out, s, geometry);
  if (policy.empty_pools == EmptyPools::kPerArena) {
    Line(&out, "# arenas allocated total", s.arenas_created);
    Line(&out, "# arenas reclaimed", s.arenas_released);
    Line(&out, "# arenas highwater mark", s.arenas_high_water);
    Line(&out, "# arenas allocated current", s.arenas_live);
  }
  Line(&out,
       std::to_string(s.arenas_live) + " arenas * " +
           std::to_string(geometry.arena_bytes) + " bytes/arena",
       s.arenas_live * geometry.arena_bytes);
  out += '\n';
  std::uint64_t total = 0;
  total += Line(&out, "# bytes in allocated blocks", s.allocated_bytes);
  total += Line(&out, "# bytes in available blocks", s.available_bytes);
  total += Line(&out,
                std::to_string(s.unused_pools) + " unused pools * " +
                    std::to_string(geometry.pool_bytes) + " bytes",
                s.unused_pools * geometry.pool_bytes);
  total += Line(&out, "# bytes lost to pool headers", s.pool_header_bytes);
  total += Line(&out, "# bytes lost to quantization", s.quantization_bytes);
  total += Line(&out, "# bytes lost to arena alignment", s.alignment_bytes);
  Line(&out, "Total", total);
  if (policy.address_test == AddressTest::kRadixTree) ArenaMap(&out, s);
  return out;
}

}  // namespace arenalab
