// Which pool of a class gives the next block: the order of its used list, front
// first. And which block of a pool is given: the order of its free list.
//
// TO ADD ONE: an enumerator, a struct, its name in PoolOrders or BlockOrders.
// Settings, the invariant check (L1, P5) and the fuzz test take it from there.
//   ComesFirst(a, b)  as in arena_order.h
//   kMovesOnFree      a pool may move right when one of its blocks is freed.
//                     (None moves when a block is taken: the front pool must
//                     stay the front.)
#pragma once

#include <cstdint>
#include <string_view>

#include "allocators/pymalloc/pool.h"
#include "allocators/pymalloc/rule_list.h"

namespace arenalab {

enum class PoolChoice : std::uint8_t { kRecent, kAddress, kFullest };

// CPython's: the one that was full last.
struct RecentPool {
  static constexpr PoolChoice kChoice = PoolChoice::kRecent;
  static constexpr std::string_view kName = "recent";
  static constexpr bool kMovesOnFree = false;
  static bool ComesFirst(const PoolHeader&, const PoolHeader&) { return true; }
};

struct LowestPool {
  static constexpr PoolChoice kChoice = PoolChoice::kAddress;
  static constexpr std::string_view kName = "address";
  static constexpr bool kMovesOnFree = false;
  static bool ComesFirst(const PoolHeader& a, const PoolHeader& b) {
    return AddressOf(&a) < AddressOf(&b);
  }
};

// Most live blocks.
struct FullestPool {
  static constexpr PoolChoice kChoice = PoolChoice::kFullest;
  static constexpr std::string_view kName = "fullest";
  static constexpr bool kMovesOnFree = true;
  static bool ComesFirst(const PoolHeader& a, const PoolHeader& b) {
    return a.live_blocks >= b.live_blocks;
  }
};

using PoolOrders = RuleList<RecentPool, LowestPool, FullestPool>;

inline bool ComesFirst(PoolChoice choice, const PoolHeader& a,
                       const PoolHeader& b) {
  return PoolOrders::Pick(
      choice, [&]<class Order>() { return Order::ComesFirst(a, b); });
}
constexpr bool MovesOnFree(PoolChoice choice) {
  return PoolOrders::Pick(choice,
                          []<class Order>() { return Order::kMovesOnFree; });
}

enum class FreeList : std::uint8_t { kLifo, kAddress };

// CPython's: the block that was freed last.
struct RecentBlock {
  static constexpr FreeList kChoice = FreeList::kLifo;
  static constexpr std::string_view kName = "lifo";
  static constexpr bool ComesFirst(std::uint64_t, std::uint64_t) {
    return true;
  }
};

struct LowestBlock {
  static constexpr FreeList kChoice = FreeList::kAddress;
  static constexpr std::string_view kName = "address";
  static constexpr bool ComesFirst(std::uint64_t a, std::uint64_t b) {
    return a < b;
  }
};

using BlockOrders = RuleList<RecentBlock, LowestBlock>;

constexpr bool ComesFirst(FreeList choice, std::uint64_t a, std::uint64_t b) {
  return BlockOrders::Pick(
      choice, [&]<class Order>() { return Order::ComesFirst(a, b); });
}

}  // namespace arenalab
