// The map of RESULTS.md: which blocks of which pools are live, as changes from
// sample to sample. Fed with blocks handed out and given back and with arenas
// coming and going; looks at the pool's header (its class) at samples only.
//
// Every event costs one bit and, for the first of a pool since the last sample,
// a list entry. A sample costs what changed.
//
// BUDGET. A trace that turns its heap over all the time would make a map that
// no browser opens. Where the stream so far is more than its share of the
// budget, every second, fourth, ... sample tells nothing, and the next that
// does tells the changes of all; told() says which samples the map is exact at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "tools/replay/arena_region.h"
#include "tools/replay/flat_array.h"
#include "tools/replay/gzip.h"

namespace arenalab {

class PoolMap {
 public:
  // Both outlive the map. Compressed, it has about budget_bytes at most over
  // `samples` calls of Sample().
  PoolMap(const GeometryValues& geometry, const ArenaRegion& region,
          std::size_t samples, std::size_t budget_bytes);

  void BlockTaken(std::uint64_t block) { Toggle(block); }
  void BlockFreed(std::uint64_t block) { Toggle(block); }
  void ArenaAcquired(std::size_t slot);
  void ArenaReleased(std::size_t slot, std::uint64_t ordinal);

  // Appends what changed since the last sample that was told. `always`: this
  // one is told whatever the budget.
  void Sample(bool always);

  // A bit for each granule of the pool at `base`: whether a live block begins
  // there.
  std::span<const std::uint64_t> LiveBits(std::uint64_t base) const {
    return {&live_[(base - region_.begin()) >> word_shift_], WordsPerPool()};
  }

  const std::vector<std::size_t>& told() const { return told_samples_; }
  // Base64 of the gzip of the varints. Call once, last.
  std::string Encode();

 private:
  struct ArenaChange {
    std::uint64_t ordinal;
    std::uint64_t kind;
    std::uint64_t offset;
  };
  struct DirtyPool {
    std::uint64_t number;  // RESULTS.md's
    std::size_t pool;      // in the flat tables
  };

  void Toggle(std::uint64_t block) {
    const std::uint64_t at = block - region_.begin();
    live_[at >> word_shift_] ^= std::uint64_t{1}
                                << ((at >> granule_shift_) & 63);
    std::uint8_t& dirty = dirty_[at >> pool_shift_];
    if (dirty == 0) {
      dirty = 1;
      dirty_pools_.push_back(at >> pool_shift_);
    }
  }
  std::size_t WordsPerPool() const {
    return geometry_.pool_bytes >> word_shift_;
  }
  void AppendArenas();
  std::vector<DirtyPool> TakeDirtyPools();
  void AppendPools(const std::vector<DirtyPool>& pools);
  void AppendBlocks(const std::vector<DirtyPool>& pools);
  void AppendVarint(std::uint64_t value);

  const GeometryValues& geometry_;
  const ArenaRegion& region_;
  int granule_shift_;  // one bit a granule: blocks begin at multiples of it
  int word_shift_;     // 64 granules
  int pool_shift_;
  FlatArray<std::uint64_t> live_;
  FlatArray<std::uint64_t> told_;       // live_ as of the last sample
  FlatArray<std::uint8_t> told_class_;  // by pool: class + 1, 0 none
  FlatArray<std::uint8_t> dirty_;       // by pool
  std::vector<std::size_t> dirty_pools_;
  std::vector<bool> told_arena_;       // by slot: the last sample knew it
  std::vector<ArenaChange> released_;  // since the last sample, known to it
  std::string raw_;                    // varints not yet compressed
  GzipStream gzip_;
  std::size_t samples_;  // that will come
  std::size_t budget_bytes_;
  std::size_t next_ = 0;    // number of the next sample
  std::size_t stride_ = 1;  // every how many are told
  std::vector<std::size_t> told_samples_;
};

}  // namespace arenalab
