// The free chunks of a ring: a lock-free stack, because a process may be killed
// while it takes one. Last in, first out, so the chunks in use stay in cache;
// never-used ones are taken only when the stack is empty, so memory that the
// program does not need is not touched.
//
// Takers: any thread of the program. Giver: the collector. The tag in the upper
// half of the head changes with every exchange, so a chunk that was taken and
// given back in between does not look unchanged.
#pragma once

#include "tracer/ring/ring.h"

namespace arenalab::ring {

// kNoChunk where all that are allowed are in use.
inline std::uint32_t TakeChunk(Header* header) {
  std::uint64_t head = header->free_chunks.load(std::memory_order_acquire);
  while (static_cast<std::uint32_t>(head) != kNoChunk) {
    const std::uint32_t chunk = static_cast<std::uint32_t>(head);
    // May be stale; then the exchange fails.
    const std::uint32_t next =
        __atomic_load_n(&header->next_free[chunk], __ATOMIC_RELAXED);
    const std::uint64_t wanted = ((head >> 32) + 1) << 32 | next;
    if (header->free_chunks.compare_exchange_weak(head, wanted,
                                                  std::memory_order_acq_rel,
                                                  std::memory_order_acquire)) {
      return chunk;
    }
  }
  const std::uint32_t allowed =
      header->chunk_limit.load(std::memory_order_relaxed);
  std::uint32_t fresh = header->fresh_chunks.load(std::memory_order_relaxed);
  while (fresh < allowed && fresh < kChunks) {
    if (header->fresh_chunks.compare_exchange_weak(fresh, fresh + 1)) {
      return fresh;
    }
  }
  return kNoChunk;
}

inline void GiveChunk(Header* header, std::uint32_t chunk) {
  std::uint64_t head = header->free_chunks.load(std::memory_order_relaxed);
  std::uint64_t wanted;
  do {
    __atomic_store_n(&header->next_free[chunk],
                     static_cast<std::uint32_t>(head), __ATOMIC_RELAXED);
    wanted = ((head >> 32) + 1) << 32 | chunk;
  } while (!header->free_chunks.compare_exchange_weak(
      head, wanted, std::memory_order_acq_rel, std::memory_order_relaxed));
}

}  // namespace arenalab::ring
