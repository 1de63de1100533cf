// Reads every page that may begin a pool; the rules are header_search.h's.
#include "tools/inspect/header_search.h"

#include <array>
#include <map>

#include "allocators/pymalloc/generation.h"
#include "tools/inspect/pool_reading.h"

namespace arenalab {
namespace {

constexpr std::array kKnown = {
    Cpython311::kGeometry, Cpython315HugePages::kGeometry,
    Cpython374::kGeometry, Classic::kGeometry, Cpython25::kGeometry};

struct Candidate {
  std::uint64_t address;
  std::uint32_t arena;
};

// A few pools may look right by chance in anything.
constexpr std::size_t kLeastPools = 8;

void SearchPiece(const unsigned char* bytes, std::uint64_t begin,
                 std::uint64_t end,
                 std::array<std::vector<Candidate>, kKnown.size()>* found) {
  for (std::uint64_t at = begin; at < end; at += kPageBytes) {
    for (std::size_t i = 0; i < kKnown.size(); ++i) {
      const GeometryValues& geometry = kKnown[i];
      if (at % geometry.pool_bytes != 0 || end - at < geometry.pool_bytes)
        continue;
      const auto pool = ReadPool(bytes + (at - begin), at, geometry);
      if (!pool) continue;
      (*found)[i].push_back({at, pool->header.arena_index});
      break;
    }
  }
}

// Arenas of 1 and of 2 MiB have the same pools: how far one number's reach.
bool FitsArenas(const std::vector<Candidate>& pools,
                const GeometryValues& geometry) {
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> reach;
  for (const Candidate& pool : pools) {
    const auto [at, is_new] =
        reach.try_emplace(pool.arena, std::pair(pool.address, pool.address));
    if (!is_new) at->second.second = pool.address;
  }
  for (const auto& [arena, ends] : reach)
    if (ends.second - ends.first >= geometry.arena_bytes) return false;
  return true;
}

// An arena's base from its first pool: less than a pool before it, where the
// kernel put it, which is a whole number of arenas from its mapping's end.
std::uint64_t BaseOf(TargetMemory& memory, const GeometryValues& geometry,
                     std::uint64_t first_pool) {
  const Mapping* mapping = memory.Find(first_pool);
  const std::uint64_t rest = (mapping->end - first_pool) % geometry.arena_bytes;
  const std::uint64_t lost =
      (geometry.arena_bytes - rest) % geometry.arena_bytes;
  return lost < geometry.pool_bytes && first_pool - lost >= mapping->begin
             ? first_pool - lost
             : first_pool;
}

}  // namespace

std::optional<HeaderSearch> SearchHeaders(TargetMemory& memory) {
  constexpr std::uint64_t kPiece = 4 * kMiB;
  std::array<std::vector<Candidate>, kKnown.size()> found;
  std::vector<unsigned char> bytes;
  for (const Mapping& mapping : memory.mappings()) {
    if (!mapping.readable || !mapping.writable || mapping.shared ||
        mapping.is_file())
      continue;
    memory.VisitContent(
        mapping.begin, mapping.end,
        [&](std::uint64_t begin, std::uint64_t end) {
          // A pool may reach into pages that have no content yet.
          for (std::uint64_t at = begin; at < end; at += kPiece) {
            const std::uint64_t to = std::min(at + kPiece, end);
            const std::uint64_t from = at & ~(16 * kKiB - 1);
            const std::uint64_t until =
                std::min((to + 16 * kKiB - 1) & ~(16 * kKiB - 1), mapping.end);
            const std::uint64_t first = std::max(from, mapping.begin);
            bytes.resize(until - first);
            memory.ReadContent(first, until, bytes.data());
            SearchPiece(bytes.data(), first, until, &found);
          }
        });
  }
  std::size_t best = kKnown.size();
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    // Pieces overlap by the pool at their rim.
    auto& pools = found[i];
    std::sort(pools.begin(), pools.end(), [](const auto& a, const auto& b) {
      return a.address < b.address;
    });
    pools.erase(std::unique(pools.begin(), pools.end(),
                            [](const auto& a, const auto& b) {
                              return a.address == b.address;
                            }),
                pools.end());
    const auto weight = [&](std::size_t k) {
      return found[k].size() * kKnown[k].pool_bytes;
    };
    if (pools.size() >= kLeastPools &&
        (best == kKnown.size() || weight(i) > weight(best)))
      best = i;
  }
  if (best == kKnown.size()) return std::nullopt;
  HeaderSearch result{{}, kKnown[best]};
  // The search gave all pools of 16 KiB to the first of the two that have them.
  if (best == 0 && !FitsArenas(found[0], kKnown[0]))
    result.geometry = kKnown[1];
  result.state.by_headers = true;
  const GeometryValues& geometry = result.geometry;
  for (const Candidate& pool : found[best]) {
    FoundArena* arena =
        result.state.arenas.empty() ? nullptr : &result.state.arenas.back();
    if (arena == nullptr || arena->index != pool.arena ||
        pool.address - arena->record.base >= geometry.arena_bytes) {
      result.state.arenas.push_back({pool.arena, {}});
      arena = &result.state.arenas.back();
      arena->record.base = BaseOf(memory, geometry, pool.address);
      arena->record.total_pools = static_cast<std::uint32_t>(
          (arena->record.base + geometry.arena_bytes - pool.address) /
          geometry.pool_bytes);
    }
    arena->record.next_virgin_pool = pool.address + geometry.pool_bytes;
  }
  result.state.arenas_created = result.state.arenas_high_water =
      result.state.arenas.size();
  return result;
}

}  // namespace arenalab
