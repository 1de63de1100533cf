// Why is this arena still here? What holds the arenas of the clone at one
// moment: how many blocks would have to go, which they are, and how long they
// and the arenas live.
//
//   live blocks           of each arena that is held, ascending: the release
//                         curve. rel(x) = share of the arenas that could be
//                         given back if the x cheapest live blocks were gone
//   releasable            arenas without a live block
//   blocks for a share    the least x with rel(x) >= the share
//   pinned by at most k   arenas with 1 to k live blocks
//   pinners               the blocks of the arenas with the fewest
//   mixing of an arena    last death of its live blocks - their median death
//   wait of an arena      its last death - now
//
// Time here is in requests of the trace. A block that is live when the trace
// ends dies there. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace arenalab {

struct Pinner {
  std::uint64_t request;       // that made it; 0 for what a child inherited
  std::uint64_t step;          // the same among the compiled ones
  std::uint64_t age_requests;  // since then
  std::uint64_t requested_bytes;
  std::uint32_t size_class;
};

struct PinnedArena {
  std::uint64_t ordinal;  // arenas acquired before it
  std::uint32_t live_blocks;
  std::vector<Pinner> pinners;  // oldest first, kMostPinners at most
};

inline constexpr std::size_t kMostPinnedArenas = 16;
inline constexpr std::size_t kMostPinners = 8;
inline constexpr std::uint32_t kPinnedBy[] = {1, 3, 10, 30};

struct Retention {
  std::size_t sample = 0;
  std::vector<std::uint32_t> live_blocks;  // per arena, ascending
  std::vector<PinnedArena> pinned;         // fewest blocks first
  // Median and largest over the arenas with a live block; nullopt: there is
  // none.
  std::optional<std::uint64_t> mixing_median;
  std::optional<std::uint64_t> mixing_max;
  std::optional<std::uint64_t> wait_median;
  std::optional<std::uint64_t> wait_max;
};

// Of `live_blocks`, ascending: the least number of blocks whose death would
// leave at least `percent` of the arenas without one.
std::uint64_t BlocksForShare(const std::vector<std::uint32_t>& live_blocks,
                             std::uint32_t percent);
std::uint64_t PinnedByAtMost(const std::vector<std::uint32_t>& live_blocks,
                             std::uint32_t most);

// The element at index (n - 1) * percent / 100 of the sorted values. REQUIRES:
// not empty.
std::uint64_t Percentile(std::vector<std::uint64_t> values,
                         std::uint32_t percent);

// Looks at moments and follows their live blocks to their deaths.
class RetentionWatch {
 public:
  // A live block's head of the list of moments that saw it; 0: none did.
  using Head = std::uint32_t;

  struct LiveBlock {
    Head* head;
    std::uint64_t arena;    // its ordinal
    std::uint64_t request;  // as in Pinner
    std::uint64_t step;
    std::uint64_t requested_bytes;
    std::uint32_t size_class;
  };

  // `ordinals` are those of all arenas that are held.
  void Look(std::size_t sample, std::uint64_t now,
            std::vector<std::uint64_t> ordinals,
            const std::vector<LiveBlock>& blocks);

  // A block with a head that is not 0 dies.
  void Died(Head head, std::uint64_t now);

  // No Look() after it.
  std::vector<Retention> Finish(std::uint64_t now);

 private:
  struct Seen {
    Head next;
    std::uint32_t arena;  // index in the moment's arenas
    std::uint64_t death;
  };
  struct Moment {
    Retention retention;
    std::uint64_t now;
    std::vector<std::uint64_t> ordinals;  // ascending
    std::vector<std::uint32_t> live_blocks;
    std::vector<std::uint32_t> pinned;  // by arena: 1 + index in pinned, or 0
    std::size_t first_seen;
  };

  void Begin(std::size_t sample, std::uint64_t now,
             std::vector<std::uint64_t> ordinals);
  void Count(const LiveBlock& block);
  void ChoosePinned();
  void Follow(const LiveBlock& block);
  std::uint32_t ArenaOf(const LiveBlock& block) const;

  std::vector<Moment> moments_;
  std::vector<Seen> seen_ = {{}};  // [0] is nobody
};

}  // namespace arenalab
