// How often a request took how long, in ticks of the time-stamp counter.
//
//   ticks below 16 have a bucket each; above, sixteen buckets for each power of
//   two, so that a bucket's ends are within 1/16 of each other
//
// Plain data: a worker fills it in memory shared with the launcher.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace arenalab {

inline constexpr std::size_t kLatencyBuckets = 16 + 60 * 16;

struct LatencyHistogram {
  std::uint64_t counts[kLatencyBuckets];
  std::uint64_t most_ticks;
};

constexpr std::size_t LatencyBucket(std::uint64_t ticks) {
  if (ticks < 16) return ticks;
  const int shift = std::bit_width(ticks) - 5;
  return 16 + static_cast<std::size_t>(shift) * 16 + (ticks >> shift & 15);
}
static_assert(LatencyBucket(UINT64_MAX) == kLatencyBuckets - 1);

// The most ticks that fall into a bucket.
constexpr std::uint64_t MostOfBucket(std::size_t bucket) {
  if (bucket < 16) return bucket;
  const std::size_t shift = (bucket - 16) / 16;
  const std::uint64_t first = (16 + bucket % 16) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}
static_assert(MostOfBucket(kLatencyBuckets - 1) == UINT64_MAX);
static_assert(LatencyBucket(MostOfBucket(100)) == 100);
static_assert(LatencyBucket(MostOfBucket(100) + 1) == 101);

}  // namespace arenalab
