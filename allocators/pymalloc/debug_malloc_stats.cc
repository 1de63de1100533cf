// The layout of sys._debugmallocstats(); contract in debug_malloc_stats.h.
#include "allocators/pymalloc/debug_malloc_stats.h"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "allocators/pymalloc/size_class.h"

namespace arenalab {
namespace {

// The longest line is a label and a number, each far shorter than half of it.
constexpr std::size_t kMostLineBytes = 160;

class Printer {
 public:
  Printer(void (*write)(void*, const char*, std::size_t), void* to)
      : write_(write), to_(to) {}

  void Text(const char* text) { write_(to_, text, std::strlen(text)); }

  // `label                 =              1,234`; returns the number.
  std::uint64_t Line(const char* label, std::uint64_t number) {
    char digits[32];
    char line[kMostLineBytes];
    std::snprintf(line, sizeof(line), "%-35s=%21s\n", label,
                  WithCommas(number, digits + sizeof(digits)));
    Text(line);
    return number;
  }

  // `N unused pools * 4096 bytes`
  std::uint64_t Line(std::uint64_t count, const char* what, std::size_t bytes,
                     const char* unit) {
    char label[kMostLineBytes / 2];
    std::snprintf(label, sizeof(label), "%" PRIu64 " %s * %zu %s", count, what,
                  bytes, unit);
    return Line(label, count * bytes);
  }

 private:
  // Into the bytes before `end`; returns where it begins.
  static const char* WithCommas(std::uint64_t number, char* end) {
    char* at = end;
    *--at = '\0';
    for (int digits = 0;; ++digits) {
      if (digits != 0 && digits % 3 == 0) *--at = ',';
      *--at = static_cast<char>('0' + number % 10);
      number /= 10;
      if (number == 0) return at;
    }
  }

  void (*write_)(void*, const char*, std::size_t);
  void* to_;
};

void ClassTable(Printer* out, const Statistics& s,
                const GeometryValues& geometry) {
  out->Text(
      "class   size   num pools   blocks in use  avail blocks\n"
      "-----   ----   ---------   -------------  ------------\n");
  for (std::size_t i = 0; i < geometry.classes; ++i) {
    const ClassStatistics& c = s.classes[i];
    if (c.pools == 0) continue;
    char line[kMostLineBytes];
    std::snprintf(line, sizeof(line),
                  "%5zu %6zu %11" PRIu64 " %15" PRIu64 " %13" PRIu64 "\n", i,
                  BlockSize(geometry, i), c.pools, c.used_blocks,
                  c.available_blocks);
    out->Text(line);
  }
  out->Text("\n");
}

void ArenaMap(Printer* out, const Statistics& s) {
  out->Text("\narena map counts\n");
  out->Line("# arena map mid nodes", s.map_mid_nodes);
  out->Line("# arena map bot nodes", s.map_bottom_nodes);
  out->Text("\n");
  std::uint64_t total = 0;
  total += out->Line("# bytes lost to arena map root", s.map_root_bytes);
  total += out->Line("# bytes lost to arena map mid", s.map_mid_bytes);
  total += out->Line("# bytes lost to arena map bot", s.map_bottom_bytes);
  out->Line("Total", total);
}

}  // namespace

void WriteDebugMallocStats(const Statistics& s, const GeometryValues& geometry,
                           const PolicyValues& policy,
                           void (*write)(void*, const char*, std::size_t),
                           void* to) {
  Printer out(write, to);
  char head[kMostLineBytes];
  std::snprintf(head, sizeof(head),
                "Small block threshold = %zu, in %zu size classes.\n\n",
                static_cast<std::size_t>(geometry.max_small_bytes),
                static_cast<std::size_t>(geometry.classes));
  out.Text(head);
  ClassTable(&out, s, geometry);
  if (policy.empty_pools == EmptyPools::kPerArena) {
    out.Line("# arenas allocated total", s.arenas_created);
    out.Line("# arenas reclaimed", s.arenas_released);
    out.Line("# arenas highwater mark", s.arenas_high_water);
    out.Line("# arenas allocated current", s.arenas_live);
  }
  out.Line(s.arenas_live, "arenas", geometry.arena_bytes, "bytes/arena");
  out.Text("\n");
  std::uint64_t total = 0;
  total += out.Line("# bytes in allocated blocks", s.allocated_bytes);
  total += out.Line("# bytes in available blocks", s.available_bytes);
  total +=
      out.Line(s.unused_pools, "unused pools", geometry.pool_bytes, "bytes");
  total += out.Line("# bytes lost to pool headers", s.pool_header_bytes);
  total += out.Line("# bytes lost to quantization", s.quantization_bytes);
  total += out.Line("# bytes lost to arena alignment", s.alignment_bytes);
  out.Line("Total", total);
  if (policy.address_test == AddressTest::kRadixTree) ArenaMap(&out, s);
}

}  // namespace arenalab
