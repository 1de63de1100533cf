// The golden addresses catch mistakes in the order of arenas and in the keep
// rule.
//
// The usable list is a type of its own for each bound of pools an arena; a trap
// takes a bound that nobody has, and the member of that type is put wrong.
#include <gtest/gtest.h>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_members.h"
#include "tests/allocators/pymalloc/trap.h"

namespace arenalab {

template <class G, std::size_t kBound>
struct ListTrap : Trap<G> {};

template <class G, std::size_t kBound>
struct GenerationValues<ListTrap<G, kBound>> : GenerationValues<Trap<G>> {
  using GenerationValues<Trap<G>>::GenerationValues;
  static constexpr std::size_t kMaxPools = kBound;
};

enum Wrong : std::size_t {
  kNothing = 200,
  kTiesRight,
  kFreshBehind,
  kKeepAfterSorting,
  kKeepOnlyIfAlone,
  kTotalOfAligned,
};

// CPython 2.5's walk with one thing wrong, or none.
template <Wrong kWrong, class Arenas>
bool WalkWrongly(Arenas& list, ArenaRecord* arena, const PolicyValues& policy) {
  const std::uint32_t now = ++arena->free_pools;
  const std::uint32_t total =
      kWrong == kTotalOfAligned ? 64 : arena->total_pools;
  const auto release = [&] {
    if (now != total) return false;
    if (policy.keep_arenas == 0) return true;
    if (kWrong == kKeepOnlyIfAlone && arena->prev != nullptr) return true;
    return arena->next != nullptr;
  };
  if (kWrong != kKeepAfterSorting && release()) {
    list.Unlink(arena);
    return true;
  }
  if (now == 1) {
    list.InsertFront(arena);
    if (kWrong != kFreshBehind) return false;
  }
  const bool past_equals =
      kWrong == kTiesRight || (kWrong == kFreshBehind && now == 1);
  ArenaRecord* left = nullptr;
  for (ArenaRecord* at = arena->next;
       at != nullptr &&
       (at->free_pools < now || (at->free_pools == now && past_equals));
       at = at->next)
    left = at;
  if (left != nullptr) {
    list.Unlink(arena);
    list.InsertAfter(arena, left);
  }
  if (kWrong == kKeepAfterSorting && release()) {
    list.Unlink(arena);
    return true;
  }
  return false;
}

#define ARENALAB_LIST_TRAP(wrong)                                      \
  template <>                                                          \
  bool UsableArenas<wrong>::PoolReturned(ArenaRecord* arena,           \
                                         const PolicyValues& policy) { \
    return WalkWrongly<wrong>(*this, arena, policy);                   \
  }
ARENALAB_LIST_TRAP(kNothing)
ARENALAB_LIST_TRAP(kTiesRight)
ARENALAB_LIST_TRAP(kFreshBehind)
ARENALAB_LIST_TRAP(kKeepAfterSorting)
ARENALAB_LIST_TRAP(kKeepOnlyIfAlone)
ARENALAB_LIST_TRAP(kTotalOfAligned)

namespace {

// A walk needs no fingers.
struct Walking39 : Trap<Cpython39> {
  static constexpr PolicyValues kPolicy = {.keep_arenas = 1};
};
struct Walking311 : Trap<Cpython311> {
  static constexpr PolicyValues kPolicy = [] {
    PolicyValues policy = Cpython311::kPolicy;
    policy.arena_sort = ArenaSort::kWalk;
    return policy;
  }();
};

template <class G, Wrong kWrong>
int ListCaughtBy(int placement = 0) {
  return CaughtBy<Heap<ListTrap<G, kWrong>>, Heap<G>>(placement);
}

TEST(ArenaTrap, TheWalkWithNothingWrongIsNotCaught) {
  EXPECT_EQ((ListCaughtBy<Cpython25, kNothing>()), 0);
  EXPECT_EQ((ListCaughtBy<Cpython374, kNothing>()), 0);
  EXPECT_EQ((ListCaughtBy<Walking39, kNothing>()), 0);
  EXPECT_EQ((ListCaughtBy<Walking311, kNothing>(1)), 0);
}
TEST(ArenaTrap, WalkingOrPointingGivesTheSameOrder) {
  EXPECT_EQ((CaughtBy<Heap<Walking39>, Heap<Cpython39>>()), 0);
  EXPECT_EQ((CaughtBy<Heap<Walking311>, Heap<Cpython311>>(1)), 0);
}
TEST(ArenaTrap, MovedArenasRightOfEqualOnes) {
  EXPECT_NE((ListCaughtBy<Cpython374, kTiesRight>()) & kStream2, 0);
}
TEST(ArenaTrap, ArenasWithTheirFirstFreePoolBehindOthersWithOne) {
  EXPECT_NE((ListCaughtBy<Cpython374, kFreshBehind>()), 0);
}
TEST(ArenaTrap, KeepRuleJudgedAfterSorting) {
  EXPECT_NE((ListCaughtBy<Walking39, kKeepAfterSorting>()) & kStream2, 0);
}
TEST(ArenaTrap, KeepRuleForTheOnlyArenaAlone) {
  EXPECT_NE((ListCaughtBy<Walking39, kKeepOnlyIfAlone>()) & kStream2, 0);
}
TEST(ArenaTrap, ReleaseJudgedBy64PoolsWhereAnArenaHas63) {
  EXPECT_NE((ListCaughtBy<Walking311, kTotalOfAligned>(1)) & kStream2, 0);
}

}  // namespace
}  // namespace arenalab
