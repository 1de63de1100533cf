// Reads the map up to a sample and draws it.
#include "tools/replay/heap_strip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <vector>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::size_t kMostColumns = 64;

[[noreturn]] void Broken(const std::string& what) {
  throw InputError("the map of the heap is broken: " + what);
}

std::string Unbase64(const std::string& text) {
  std::array<int, 256> values;
  values.fill(-1);
  const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < digits.size(); ++i)
    values[static_cast<unsigned char>(digits[i])] = static_cast<int>(i);
  std::string bytes;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) Broken("its text is not base64");
    bits = bits << 6 | static_cast<unsigned>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes += static_cast<char>(bits >> have & 255);
  }
  return bytes;
}

std::string Gunzipped(std::string bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) Broken("no memory for zlib");
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int status = Z_OK;
  std::vector<char> piece(1 << 16);
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) Broken("its gzip data is cut or damaged");
  return out;
}

struct Pool {
  std::uint64_t size_class = 0;  // class + 1
  std::vector<bool> live;
  std::size_t live_blocks = 0;
};

struct Arena {
  std::uint64_t usable_pools = 0;
  std::vector<double> fill;  // by pool: -1 none, 0 free, to 1 full
  std::size_t live_blocks = 0;
};

class Reader {
 public:
  explicit Reader(const MapPayload& map)
      : map_(map),
        pools_per_arena_(map.arena_bytes / map.pool_bytes),
        bytes_(Gunzipped(Unbase64(map.data))) {}

  void ReadSample() {
    for (std::uint64_t n = Varint(); n > 0; --n) {
      const std::uint64_t ordinal = Varint();
      const std::uint64_t kind = Varint();
      const std::uint64_t offset = Varint();
      if (kind == 0) {
        arenas_[ordinal] = pools_per_arena_ - (offset == 0 ? 0 : 1);
        continue;
      }
      if (arenas_.erase(ordinal) == 0) Broken("an arena goes that was not");
      pools_.erase(pools_.lower_bound(ordinal * pools_per_arena_),
                   pools_.lower_bound((ordinal + 1) * pools_per_arena_));
    }
    std::uint64_t number = 0;
    for (std::uint64_t n = Varint(); n > 0; --n) {
      number += Varint();
      const std::uint64_t size_class = Varint();
      pools_.erase(number);
      if (size_class != 0) pools_[number] = PoolOf(size_class);
    }
    number = 0;
    for (std::uint64_t n = Varint(); n > 0; --n) {
      number += Varint();
      const auto pool = pools_.find(number);
      if (pool == pools_.end()) Broken("blocks of a pool that is not");
      Toggle(&pool->second);
    }
  }

  // Held arenas by ordinal.
  std::map<std::uint64_t, Arena> Arenas() const {
    std::map<std::uint64_t, Arena> arenas;
    for (const auto& [ordinal, usable] : arenas_) {
      Arena& arena = arenas[ordinal];
      arena.usable_pools = usable;
      arena.fill.assign(pools_per_arena_, -1);
      std::fill_n(arena.fill.begin(), usable, 0);
    }
    for (const auto& [number, pool] : pools_) {
      const auto arena = arenas.find(number / pools_per_arena_);
      if (arena == arenas.end()) Broken("a pool of an arena that is not");
      arena->second.live_blocks += pool.live_blocks;
      arena->second.fill[number % pools_per_arena_] =
          static_cast<double>(pool.live_blocks) /
          static_cast<double>(pool.live.size());
    }
    return arenas;
  }

 private:
  Pool PoolOf(std::uint64_t size_class) const {
    const std::uint64_t blocks = size_class > map_.pool_bytes
                                     ? 0
                                     : (map_.pool_bytes - map_.header_bytes) /
                                           (size_class * map_.alignment);
    if (blocks == 0) Broken("a class that fits no pool");
    return {size_class, std::vector<bool>(blocks), 0};
  }
  void Toggle(Pool* pool) {
    std::uint64_t block = 0;
    for (std::uint64_t n = Varint(); n > 0; --n) {
      block += Varint();
      if (block >= pool->live.size()) Broken("a block beyond its pool");
      pool->live[block] = !pool->live[block];
      pool->live_blocks += pool->live[block] ? 1 : std::size_t(-1);
    }
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) Broken("it ends early");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
    Broken("a number is too long");
  }

  const MapPayload& map_;
  std::uint64_t pools_per_arena_;
  std::string bytes_;
  std::size_t at_ = 0;
  std::map<std::uint64_t, std::uint64_t> arenas_;  // ordinal -> usable pools
  std::map<std::uint64_t, Pool> pools_;            // by number
};

// One or several arenas, as wide as the text: the mean of what is there.
struct Line {
  std::uint64_t first = 0, last = 0;  // ordinals
  std::size_t live_blocks = 0;
  std::vector<double> fill;
};

Line LineOf(const std::vector<std::pair<std::uint64_t, const Arena*>>& arenas,
            std::size_t begin, std::size_t end) {
  Line line{arenas[begin].first, arenas[end - 1].first, 0, {}};
  const std::size_t pools = arenas[begin].second->fill.size();
  const std::size_t columns = std::min(pools, kMostColumns);
  std::vector<double> sum(columns, 0), count(columns, 0);
  for (std::size_t i = begin; i < end; ++i) {
    line.live_blocks += arenas[i].second->live_blocks;
    for (std::size_t p = 0; p < pools; ++p) {
      const double fill = arenas[i].second->fill[p];
      if (fill < 0) continue;
      sum[p * columns / pools] += fill;
      count[p * columns / pools] += 1;
    }
  }
  for (std::size_t c = 0; c < columns; ++c)
    line.fill.push_back(count[c] > 0 ? sum[c] / count[c] : -1);
  return line;
}

char MonoOf(double fill) {
  if (fill < 0) return ' ';
  if (fill == 0) return '.';
  if (fill >= 1) return '@';
  return fill < 1.0 / 3 ? '-' : fill < 2.0 / 3 ? '=' : '#';
}

// The page's colours (viridis) among the 256 of terminals; free: grey.
int ColorOf(double fill) {
  constexpr int kSteps[] = {53, 54, 61, 31, 30, 36, 35, 71, 113, 149, 226};
  if (fill < 0) return 16;
  if (fill == 0) return 244;
  return kSteps[static_cast<std::size_t>(std::min(fill, 1.0) * 10)];
}

std::string Label(const Line& line) {
  char text[32];
  if (line.first == line.last) {
    std::snprintf(text, sizeof(text), "%7llu ",
                  static_cast<unsigned long long>(line.first));
  } else {
    std::snprintf(text, sizeof(text), "%3llu-%-3llu ",
                  static_cast<unsigned long long>(line.first),
                  static_cast<unsigned long long>(line.last));
  }
  return text;
}

std::string Live(std::size_t blocks) { return " " + std::to_string(blocks); }

std::string Totals(const std::map<std::uint64_t, Arena>& arenas) {
  std::size_t full = 0, part = 0, free = 0;
  for (const auto& [ordinal, arena] : arenas) {
    for (const double fill : arena.fill) {
      full += fill >= 1;
      part += fill > 0 && fill < 1;
      free += fill == 0;
    }
  }
  return std::to_string(arenas.size()) +
         " arenas held: " + std::to_string(full) + " pools full, " +
         std::to_string(part) + " partly used, " + std::to_string(free) +
         " free but held\n";
}

}  // namespace

std::string HeapStrip(const MapPayload& map, std::size_t sample, bool color,
                      std::size_t most_lines) {
  if (map.pool_bytes == 0 || map.alignment == 0 ||
      map.arena_bytes < map.pool_bytes || map.header_bytes > map.pool_bytes) {
    Broken("its geometry is empty");
  }
  Reader reader(map);
  for (std::size_t s = 0; s <= sample; ++s) reader.ReadSample();
  const std::map<std::uint64_t, Arena> arenas = reader.Arenas();
  std::vector<std::pair<std::uint64_t, const Arena*>> list;
  for (const auto& [ordinal, arena] : arenas)
    list.emplace_back(ordinal, &arena);
  const std::size_t most =
      std::max<std::size_t>(color ? 2 * most_lines : most_lines, 1);
  const std::size_t group = (list.size() + most - 1) / most;
  std::vector<Line> lines;
  for (std::size_t i = 0; i < list.size(); i += group)
    lines.push_back(LineOf(list, i, std::min(list.size(), i + group)));
  std::string text = Totals(arenas);
  if (!color) {
    for (const Line& line : lines) {
      text += Label(line);
      for (const double fill : line.fill) text += MonoOf(fill);
      text += Live(line.live_blocks) + "\n";
    }
    return text +
           "  . free but held   - = # part of the blocks live   @ full"
           "   right: live blocks\n";
  }
  for (std::size_t i = 0; i < lines.size(); i += 2) {
    const Line* below = i + 1 < lines.size() ? &lines[i + 1] : nullptr;
    text += Label(lines[i]);
    for (std::size_t c = 0; c < lines[i].fill.size(); ++c) {
      text += "\x1b[38;5;" + std::to_string(ColorOf(lines[i].fill[c])) +
              ";48;5;" + std::to_string(ColorOf(below ? below->fill[c] : -1)) +
              "m▀";
    }
    text += "\x1b[0m" + Live(lines[i].live_blocks);
    if (below) text += "," + std::to_string(below->live_blocks);
    text += "\n";
  }
  return text +
         "  grey: free but held; dark to bright: few to all blocks "
         "live; right: live blocks\n";
}

}  // namespace arenalab
