// How the rings of a run share their memory. Each gets kShareChunks as soon as
// the collector has seen it, or half of what is left, and twice as many
// whenever it has used more than half of what it has, as long as all together
// stay within the budget: a program that runs alone may have all of it, many a
// part each.
//
// Beyond the budget a ring has kFirstChunks, and never fewer than its streams
// hold and kSpareChunks: each stream holds one, and gives it back when it has
// the next, so with fewer no thread could go on.
//
// THREADS. The collector's only; a ring's limit grows, and never shrinks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tracer/ring/ring.h"

namespace arenalab::ring {

// With the headers, of which the greater part is not used, 32 MiB.
inline constexpr std::uint32_t kRunChunks = (30u << 20) / kChunkBytes;
inline constexpr std::uint32_t kSpareChunks = 8;
// A million records: a burst of 30 to 100 ms, longer than the collector sleeps.
inline constexpr std::uint32_t kShareChunks = (8u << 20) / kChunkBytes;

struct ChunkUser {
  Header* header;
  std::size_t streams;
};

inline std::uint32_t AllowedChunks(const Header& header) {
  // The program can write there too.
  return std::min<std::uint32_t>(header.chunk_limit.load(), kChunks);
}

inline void ShareChunks(const std::vector<ChunkUser>& users) {
  std::uint32_t given = 0;
  for (const ChunkUser& user : users) given += AllowedChunks(*user.header);
  for (const ChunkUser& user : users) {
    const std::uint32_t has = AllowedChunks(*user.header);
    const auto least = static_cast<std::uint32_t>(
        std::min(user.streams + kSpareChunks, kChunks));
    const std::uint32_t left = given < kRunChunks ? kRunChunks - given : 0;
    std::uint32_t gets = std::max(has, least);
    if (has < kShareChunks) {
      gets = std::max(gets, std::min(kShareChunks, has + left / 2));
    }
    if (user.header->fresh_chunks.load() >= has / 2) {
      gets = std::max(gets, std::min(2 * has, has + left));
    }
    user.header->chunk_limit.store(gets);
    given += gets - has;
  }
}

}  // namespace arenalab::ring
