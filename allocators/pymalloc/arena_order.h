// Which arena gives the next pool: the order of the usable list, front first.
//
// TO ADD ONE: an enumerator, a struct, its name in ArenaOrders. Settings, the
// invariant check (A3) and the fuzz test take it from there.
//   ComesFirst(a, b)  may `a` stand left of `b`? Asked of a moved arena and of
//                     each in the list, from the front: it stops at the first
//                     yes. Between neighbours in the list it always holds.
//   kMovesWithCount   an arena is moved whenever its count of free pools
//                     changes, not only when it becomes usable
#pragma once

#include <cstdint>
#include <string_view>

#include "allocators/pymalloc/arena_record.h"
#include "allocators/pymalloc/rule_list.h"

namespace arenalab {

enum class ArenaChoice : std::uint8_t {
  kFullest,
  kAddress,
  kRecent,
  kEmptiest
};

// CPython's; UsableArenas has its code for it, ties and all.
struct FullestArena {
  static constexpr ArenaChoice kChoice = ArenaChoice::kFullest;
  static constexpr std::string_view kName = "fullest";
  static constexpr bool kMovesWithCount = true;
  static constexpr bool ComesFirst(const ArenaRecord& a, const ArenaRecord& b) {
    return a.free_pools <= b.free_pools;
  }
};

// First fit by address.
struct LowestArena {
  static constexpr ArenaChoice kChoice = ArenaChoice::kAddress;
  static constexpr std::string_view kName = "address";
  static constexpr bool kMovesWithCount = false;
  static constexpr bool ComesFirst(const ArenaRecord& a, const ArenaRecord& b) {
    return a.base < b.base;
  }
};

// The one that became usable last.
struct RecentArena {
  static constexpr ArenaChoice kChoice = ArenaChoice::kRecent;
  static constexpr std::string_view kName = "recent";
  static constexpr bool kMovesWithCount = false;
  static constexpr bool ComesFirst(const ArenaRecord&, const ArenaRecord&) {
    return true;
  }
};

struct EmptiestArena {
  static constexpr ArenaChoice kChoice = ArenaChoice::kEmptiest;
  static constexpr std::string_view kName = "emptiest";
  static constexpr bool kMovesWithCount = true;
  static constexpr bool ComesFirst(const ArenaRecord& a, const ArenaRecord& b) {
    return a.free_pools >= b.free_pools;
  }
};

using ArenaOrders =
    RuleList<FullestArena, LowestArena, RecentArena, EmptiestArena>;

constexpr bool ComesFirst(ArenaChoice choice, const ArenaRecord& a,
                          const ArenaRecord& b) {
  return ArenaOrders::Pick(
      choice, [&]<class Order>() { return Order::ComesFirst(a, b); });
}
constexpr bool MovesWithCount(ArenaChoice choice) {
  return ArenaOrders::Pick(
      choice, []<class Order>() { return Order::kMovesWithCount; });
}

}  // namespace arenalab
