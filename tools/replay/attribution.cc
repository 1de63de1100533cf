// One pass; a live object remembers at which moments it was there, until its
// type is known.
#include "tools/replay/attribution.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "allocators/pymalloc/size_class.h"
#include "tracer/call_site.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

struct Sum {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pinners = 0;
  void Add(std::uint64_t size, bool pins) {
    ++objects;
    bytes += size;
    pinners += pins ? 1 : 0;
  }
  void Add(const Sum& other) {
    objects += other.objects;
    bytes += other.bytes;
    pinners += other.pinners;
  }
};

class Pass {
 public:
  Pass(const GeometryValues& geometry, std::vector<AttributedMoment>* moments)
      : geometry_(geometry),
        moments_(*moments),
        types_(moments->size()),
        sites_(moments->size()) {}

  void Take(const Event& event) {
    while (next_ < moments_.size() &&
           event.request >= moments_[next_].request) {
      Look();
    }
    if (event.kind == EventKind::kArenaAcquire) {
      if (event.size_bytes == geometry_.arena_bytes) arenas_[event.address] = 0;
    } else if (event.kind == EventKind::kArenaRelease) {
      arenas_.erase(event.address);
    } else if (event.kind == EventKind::kHeld) {
      TakeHeld(event);
    } else if (IsRequest(event.kind) && event.depth == 0 &&
               (event.layer == Layer::kMem || event.layer == Layer::kObject)) {
      TakeRequest(event);
    }
  }

  void Finish(const TraceReader& reader) {
    while (next_ < moments_.size()) Look();
    for (Life& life : lives_) Settle(&life, 0);
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      Fill(reader, NameSpace::kType, types_[m], &moments_[m].types);
      Fill(reader, NameSpace::kSite, sites_[m], &moments_[m].sites);
    }
  }

 private:
  using Sums = std::unordered_map<std::uint32_t, Sum>;
  struct Life {
    std::uint64_t address = 0;  // 0: none
    std::uint64_t bytes = 0;
    std::uint64_t born = 0;                          // request
    std::array<std::uint64_t, kMostMoments> then{};  // bytes, by moment
    std::uint32_t site = 0;
    std::uint32_t type = 0;  // 0: not known yet
    Owner owner = Owner::kUnknown;
    std::uint8_t there = 0;  // bits by moment, until the type is known
    std::uint8_t pins = 0;   // likewise
  };

  void TakeRequest(const Event& event) {
    const Identified identified = objects_.Identify(event);
    const std::uint32_t object = identified.object;
    if (object == kNoObject) return;
    if (object >= lives_.size()) lives_.resize(std::size_t{object} * 2 + 64);
    Life& life = lives_[object];
    if (event.kind == EventKind::kFree) {
      Settle(&life, event.type);
      life = {};
      return;
    }
    const bool moved = event.kind == EventKind::kRealloc && life.address != 0;
    if (!moved) {
      // Set aside by a double allocation: its type will not be known.
      Settle(&life, 0);
      life.born = event.request;
      life.type = event.type;
      life.owner = Owner::kUnknown;
    }
    life.address = event.address;
    life.bytes = event.size_bytes;
    life.site = event.site;
  }

  void TakeHeld(const Event& event) {
    const std::uint32_t object = objects_.Identify(event).object;
    if (object >= lives_.size() || event.lag > event.request) return;
    Life& life = lives_[object];
    // Born since it was looked at: it was somebody else.
    if (life.address == 0 || life.born >= event.request - event.lag) return;
    life.type = event.type;
    life.owner = event.owner;
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      if ((life.there >> m & 1) != 0) CountOwner(m, event.owner);
    }
    Settle(&life, event.type);
  }

  void CountOwner(std::size_t m, Owner owner) {
    ++moments_[m].owners[static_cast<std::size_t>(owner)];
  }

  void Settle(Life* life, std::uint32_t type) {
    for (std::size_t m = 0; life->there != 0 && m < moments_.size(); ++m) {
      if ((life->there >> m & 1) == 0) continue;
      types_[m][type].Add(life->then[m], (life->pins >> m & 1) != 0);
    }
    life->there = life->pins = 0;
  }

  // The arena of an address, or end().
  std::map<std::uint64_t, std::uint64_t>::iterator ArenaOf(const Life& life) {
    if (!IsSmall(geometry_, life.bytes)) return arenas_.end();
    auto after = arenas_.upper_bound(life.address);
    if (after == arenas_.begin()) return arenas_.end();
    --after;
    return life.address - after->first < geometry_.arena_bytes ? after
                                                               : arenas_.end();
  }

  void Look();
  void Fill(const TraceReader& reader, NameSpace space, const Sums& sums,
            std::vector<AttributedRow>* rows);

  const GeometryValues geometry_;
  std::vector<AttributedMoment>& moments_;
  std::size_t next_ = 0;
  ObjectTable objects_;
  std::vector<Life> lives_;                        // by object
  std::map<std::uint64_t, std::uint64_t> arenas_;  // base to live objects
  std::vector<Sums> types_, sites_;                // by moment
};

// What is live now, which is the next moment.
void Pass::Look() {
  const std::size_t m = next_++;
  AttributedMoment& moment = moments_[m];
  for (auto& [base, live] : arenas_) live = 0;
  for (const Life& life : lives_) {
    if (life.address == 0) continue;
    if (const auto arena = ArenaOf(life); arena != arenas_.end()) {
      ++arena->second;
    }
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> away;  // live, base
  for (const auto& [base, live] : arenas_) {
    if (live != 0) away.emplace_back(live, base);
  }
  std::sort(away.begin(), away.end());
  away.resize((away.size() + 1) / 2);
  moment.pinned_arenas = away.size();
  std::set<std::uint64_t> near;
  for (const auto& [live, base] : away) near.insert(base);

  for (Life& life : lives_) {
    if (life.address == 0) continue;
    const auto arena = ArenaOf(life);
    const bool pins = arena != arenas_.end() && near.contains(arena->first);
    if (life.type != 0) {
      types_[m][life.type].Add(life.bytes, pins);
      CountOwner(m, life.owner);
    } else {
      const auto bit = static_cast<std::uint8_t>(1u << m);
      life.there |= bit;
      if (pins) life.pins |= bit;
      life.then[m] = life.bytes;
    }
    sites_[m][life.site].Add(life.bytes, pins);
    ++moment.all.objects;
    moment.all.bytes += life.bytes;
    moment.all.pinners += pins ? 1 : 0;
  }
}

void Pass::Fill(const TraceReader& reader, NameSpace space, const Sums& sums,
                std::vector<AttributedRow>* rows) {
  // Stacks by their innermost frame.
  struct Leaf {
    Sum sum;
    std::uint64_t most = 0;
    std::string_view stack;
  };
  std::map<std::string_view, Leaf> leaves;
  for (const auto& [number, sum] : sums) {
    const std::string_view name = reader.Name(space, number);
    const bool site = space == NameSpace::kSite;
    Leaf& leaf = leaves[site ? LeafOf(name) : name];
    leaf.sum.Add(sum);
    if (!site || !IsStack(name)) continue;
    if (sum.bytes < leaf.most || (sum.bytes == leaf.most && name < leaf.stack))
      continue;
    leaf.most = sum.bytes;
    leaf.stack = name;
  }
  for (const auto& [name, leaf] : leaves) {
    rows->push_back({std::string(name), leaf.sum.objects, leaf.sum.bytes,
                     leaf.sum.pinners, std::string(leaf.stack)});
  }
  std::sort(rows->begin(), rows->end(),
            [](const AttributedRow& a, const AttributedRow& b) {
              return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
            });
}

}  // namespace

std::vector<AttributedMoment> Attribute(TraceReader& reader,
                                        const GeometryValues& geometry,
                                        std::vector<AttributedMoment> moments) {
  Pass pass(geometry, &moments);
  reader.Rewind();
  for (Event event; reader.Next(&event);) pass.Take(event);
  pass.Finish(reader);
  return moments;
}

}  // namespace arenalab
