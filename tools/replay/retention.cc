// Counting, naming and following; formulas in retention.h.
#include "tools/replay/retention.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace arenalab {
namespace {

constexpr std::uint64_t kAlive = UINT64_MAX;

}  // namespace

std::uint64_t BlocksForShare(const std::vector<std::uint32_t>& live_blocks,
                             std::uint32_t percent) {
  const std::size_t arenas = (live_blocks.size() * percent + 99) / 100;
  return std::accumulate(
      live_blocks.begin(),
      live_blocks.begin() + static_cast<std::ptrdiff_t>(arenas),
      std::uint64_t{0});
}

std::uint64_t PinnedByAtMost(const std::vector<std::uint32_t>& live_blocks,
                             std::uint32_t most) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      live_blocks,
      [&](std::uint32_t blocks) { return blocks >= 1 && blocks <= most; }));
}

std::uint64_t Percentile(std::vector<std::uint64_t> values,
                         std::uint32_t percent) {
  assert(!values.empty());
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(
                                       (values.size() - 1) * percent / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void RetentionWatch::Look(std::size_t sample, std::uint64_t now,
                          std::vector<std::uint64_t> ordinals,
                          const std::vector<LiveBlock>& blocks) {
  Begin(sample, now, std::move(ordinals));
  for (const LiveBlock& block : blocks) Count(block);
  ChoosePinned();
  for (const LiveBlock& block : blocks) Follow(block);
}

void RetentionWatch::Begin(std::size_t sample, std::uint64_t now,
                           std::vector<std::uint64_t> ordinals) {
  Moment moment;
  moment.retention.sample = sample;
  moment.now = now;
  std::ranges::sort(ordinals);
  moment.live_blocks.resize(ordinals.size());
  moment.pinned.resize(ordinals.size());
  moment.ordinals = std::move(ordinals);
  moment.first_seen = seen_.size();
  moments_.push_back(std::move(moment));
}

std::uint32_t RetentionWatch::ArenaOf(const LiveBlock& block) const {
  const std::vector<std::uint64_t>& ordinals = moments_.back().ordinals;
  return static_cast<std::uint32_t>(
      std::ranges::lower_bound(ordinals, block.arena) - ordinals.begin());
}

void RetentionWatch::Count(const LiveBlock& block) {
  ++moments_.back().live_blocks[ArenaOf(block)];
}

void RetentionWatch::ChoosePinned() {
  Moment& moment = moments_.back();
  std::vector<std::uint32_t> arenas(moment.ordinals.size());
  std::iota(arenas.begin(), arenas.end(), 0u);
  std::ranges::stable_sort(arenas, {}, [&](std::uint32_t arena) {
    return moment.live_blocks[arena];
  });
  Retention& retention = moment.retention;
  for (const std::uint32_t arena : arenas) {
    const std::uint32_t blocks = moment.live_blocks[arena];
    retention.live_blocks.push_back(blocks);
    if (blocks == 0 || retention.pinned.size() == kMostPinnedArenas) continue;
    retention.pinned.push_back({moment.ordinals[arena], blocks, {}});
    moment.pinned[arena] = static_cast<std::uint32_t>(retention.pinned.size());
  }
}

void RetentionWatch::Follow(const LiveBlock& block) {
  Moment& moment = moments_.back();
  const std::uint32_t arena = ArenaOf(block);
  seen_.push_back({*block.head, arena, kAlive});
  *block.head = static_cast<Head>(seen_.size() - 1);
  if (moment.pinned[arena] == 0) return;
  std::vector<Pinner>& pinners =
      moment.retention.pinned[moment.pinned[arena] - 1].pinners;
  const Pinner pinner{block.request, block.step, moment.now - block.request,
                      block.requested_bytes, block.size_class};
  const auto older = std::ranges::upper_bound(
      pinners, pinner.request, {}, [](const Pinner& p) { return p.request; });
  pinners.insert(older, pinner);
  if (pinners.size() > kMostPinners) pinners.pop_back();
}

void RetentionWatch::Died(Head head, std::uint64_t now) {
  for (; head != 0; head = seen_[head].next) seen_[head].death = now;
}

std::vector<Retention> RetentionWatch::Finish(std::uint64_t now) {
  std::vector<Retention> all;
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    Moment& moment = moments_[i];
    const std::size_t end =
        i + 1 < moments_.size() ? moments_[i + 1].first_seen : seen_.size();
    std::vector<std::vector<std::uint64_t>> deaths(moment.ordinals.size());
    for (std::size_t s = moment.first_seen; s < end; ++s)
      deaths[seen_[s].arena].push_back(std::min(seen_[s].death, now));
    std::vector<std::uint64_t> mixing;
    std::vector<std::uint64_t> wait;
    for (const std::vector<std::uint64_t>& of_arena : deaths) {
      if (of_arena.empty()) continue;
      const std::uint64_t last = *std::ranges::max_element(of_arena);
      mixing.push_back(last - Percentile(of_arena, 50));
      wait.push_back(last - moment.now);
    }
    Retention& retention = moment.retention;
    if (!mixing.empty()) {
      retention.mixing_max = *std::ranges::max_element(mixing);
      retention.wait_max = *std::ranges::max_element(wait);
      retention.mixing_median = Percentile(std::move(mixing), 50);
      retention.wait_median = Percentile(std::move(wait), 50);
    }
    all.push_back(std::move(retention));
  }
  return all;
}

}  // namespace arenalab
