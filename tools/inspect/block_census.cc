// Sums over blocks; definitions in block_census.h.
#include "tools/inspect/block_census.h"

#include <algorithm>
#include <numeric>

namespace arenalab {

void BlockCensus::Add(const LiveBlock& block, const HeldObject& held) {
  if (by_arena_.size() <= block.arena) {
    by_arena_.resize(block.arena + 1);
    recent_.fill({});
  }
  const Key key{held.type, held.type == nullptr ? block.block_bytes : 0,
                held.owner, held.is_part};
  const std::size_t number =
      held.type == nullptr ? key.block_bytes / 8 : held.type->number;
  Recent& recent =
      recent_[(number * 8 + static_cast<std::size_t>(key.owner) * 2 +
               static_cast<std::size_t>(key.is_part)) %
              kRecent];
  if (recent.count == nullptr || recent.key != key)
    recent = {key, &by_arena_[block.arena][key]};
  ++recent.count->blocks;
  recent.count->bytes += block.block_bytes;
}

Census BlockCensus::Finish(const std::vector<ArenaReading>& arenas) const {
  Census census;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < arenas.size(); ++i)
    if (arenas[i].live_blocks > 0) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return arenas[a].live_blocks < arenas[b].live_blocks;
                   });
  census.pinned_arenas = (order.size() + 1) / 2;
  std::vector<bool> is_near(arenas.size());
  for (std::size_t i = 0; i < census.pinned_arenas; ++i) {
    is_near[order[i]] = true;
    census.pinners += arenas[order[i]].live_blocks;
  }

  // Types of one name are one row: a class made twice is one to its reader.
  std::map<std::pair<std::string, bool>, TypeRow> rows;
  for (std::size_t i = 0; i < by_arena_.size(); ++i) {
    if (!by_arena_[i].empty()) {
      const Owner first = by_arena_[i].begin()->first.owner;
      if (std::all_of(by_arena_[i].begin(), by_arena_[i].end(),
                      [&](const auto& at) { return at.first.owner == first; }))
        ++census.owners[static_cast<std::size_t>(first)].only_arenas;
    }
    for (const auto& [key, count] : by_arena_[i]) {
      const bool is_object = key.type != nullptr && !key.is_part;
      const std::string name =
          key.type != nullptr
              ? NameOf({key.type, key.owner, 0, key.is_part})
              : "no object, " + std::to_string(key.block_bytes) + " B";
      TypeRow& row = rows[{name, is_object}];
      OwnerRow& owner = census.owners[static_cast<std::size_t>(key.owner)];
      row.name = name;
      row.is_object = is_object;
      row.is_part = key.is_part;
      row.blocks += count.blocks;
      row.bytes += count.bytes;
      owner.blocks += count.blocks;
      owner.bytes += count.bytes;
      if (i < is_near.size() && is_near[i]) {
        row.pinners += count.blocks;
        owner.pinners += count.blocks;
      }
    }
  }
  for (auto& [key, row] : rows) census.types.push_back(std::move(row));
  std::stable_sort(
      census.types.begin(), census.types.end(),
      [](const TypeRow& a, const TypeRow& b) { return a.bytes > b.bytes; });

  census.away = {{0, 0},    {1, 1},      {2, 10},
                 {11, 100}, {101, 1000}, {1001, UINT64_MAX}};
  for (const ArenaReading& arena : arenas)
    for (AwayRow& row : census.away)
      if (arena.live_blocks >= row.least && arena.live_blocks <= row.most) {
        ++row.arenas;
        row.blocks += arena.live_blocks;
      }
  return census;
}

}  // namespace arenalab
