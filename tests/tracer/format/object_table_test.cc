// ObjectTable: dense numbers, spaces, reallocs across threads, and against a
// std::map that does the same slowly.
#include "tracer/format/object_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "tests/tracer/format/trace_fixture.h"

namespace arenalab {
namespace {

Event At(std::uint64_t request, Event event, std::uint64_t lag = 0) {
  event.request = request;
  event.lag = lag;
  return event;
}

constexpr std::uint64_t A = 0x5000, B = 0x7340, C = 0x9000;

TEST(ObjectTableTest, NumbersAreDenseAndTheLastFreedIsReusedFirst) {
  ObjectTable table;
  EXPECT_EQ(table.Identify(Alloc(A, 1)).object, 0u);
  EXPECT_EQ(table.Identify(Alloc(B, 1)).object, 1u);
  EXPECT_EQ(table.Identify(Alloc(C, 1)).object, 2u);
  EXPECT_EQ(table.Identify(Free(A)).object, 0u);
  EXPECT_EQ(table.Identify(Free(B)).object, 1u);
  EXPECT_EQ(table.live(), 1u);
  EXPECT_EQ(table.Identify(Alloc(A, 1)).object, 1u);
  EXPECT_EQ(table.Identify(Alloc(B, 1)).object, 0u);
  EXPECT_EQ(table.high_water(), 3u);
  EXPECT_EQ(table.live(), 3u);
}

TEST(ObjectTableTest, SpacesDoNotCollideAndMemAndObjAreOne) {
  ObjectTable table;
  const auto object = table.Identify(Alloc(A, 1, Layer::kObject));
  const auto raw = table.Identify(Alloc(A, 1, Layer::kRaw));
  const auto libc = table.Identify(Alloc(A, 1, Layer::kLibc));
  EXPECT_FALSE(raw.displaced || libc.displaced);
  EXPECT_EQ(table.live(), 3u);
  EXPECT_EQ(table.Identify(Free(A, Layer::kMem)).object, object.object);
  EXPECT_EQ(table.Identify(Free(A, Layer::kRaw)).object, raw.object);
  EXPECT_EQ(table.Identify(Free(A, Layer::kLibc)).object, libc.object);
}

TEST(ObjectTableTest, ABlockOfRawMayBeGivenUpInLibc) {
  ObjectTable table;
  const auto raw = table.Identify(Alloc(A, 1, Layer::kRaw));
  EXPECT_EQ(table.Identify(Free(A, Layer::kLibc)).object, raw.object);
  EXPECT_FALSE(table.Identify(Alloc(A, 1, Layer::kRaw)).displaced);
  table.Identify(Alloc(B, 1, Layer::kLibc));
  table.Identify(Free(B, Layer::kRaw));
  EXPECT_EQ(table.live(), 1u);
  // Each first looks among its own; obj never among the others.
  const auto libc = table.Identify(Alloc(A, 1, Layer::kLibc));
  EXPECT_EQ(table.Identify(Free(A, Layer::kObject)).object, kNoObject);
  EXPECT_EQ(table.Identify(Free(A, Layer::kLibc)).object, libc.object);
}

TEST(ObjectTableTest, ReallocKeepsItsNumber) {
  ObjectTable table;
  table.Identify(Alloc(C, 1));
  const auto made = table.Identify(Realloc(0, A, 1));
  EXPECT_FALSE(made.unknown_old);
  EXPECT_EQ(table.Identify(Realloc(A, A, 2)).object, made.object);
  EXPECT_EQ(table.Identify(Realloc(A, B, 3)).object, made.object);
  EXPECT_EQ(table.Identify(Free(A)).object, kNoObject);
  EXPECT_EQ(table.Identify(Free(B)).object, made.object);
}

TEST(ObjectTableTest, UnknownObjects) {
  ObjectTable table;
  EXPECT_EQ(table.Identify(Free(A)).object, kNoObject);
  const auto found = table.Identify(Realloc(A, B, 1));
  EXPECT_TRUE(found.unknown_old);
  EXPECT_EQ(found.object, 0u);
  EXPECT_EQ(table.Identify(Free(A)).object, kNoObject);
  EXPECT_EQ(table.live(), 1u);
}

TEST(ObjectTableTest, EventsThatAreNoRequestsHaveNoObject) {
  ObjectTable table;
  Event event = Alloc(A, 1);
  event.kind = EventKind::kArenaAcquire;
  EXPECT_EQ(table.Identify(event).object, kNoObject);
  EXPECT_EQ(table.live(), 0u);
}

TEST(ObjectTableTest, AddressReusedWithinAReallocIsNoDoubleAllocation) {
  ObjectTable table;
  const auto first = table.Identify(At(0, Alloc(A, 1)));
  const auto second = table.Identify(At(1, Alloc(A, 2)));
  EXPECT_TRUE(second.displaced);
  EXPECT_NE(second.object, first.object);
  EXPECT_EQ(table.unexplained(), 1u);
  const auto moved = table.Identify(At(2, Realloc(A, B, 3), /*lag=*/1));
  EXPECT_EQ(moved.object, first.object);
  EXPECT_EQ(moved.explains, 1u);
  EXPECT_EQ(table.unexplained(), 0u);
  EXPECT_EQ(table.Identify(At(3, Free(A))).object, second.object);
  EXPECT_EQ(table.Identify(At(4, Free(B))).object, first.object);
}

TEST(ObjectTableTest, ADisplacementOutsideTheLagIsADoubleAllocation) {
  ObjectTable table;
  table.Identify(At(0, Alloc(A, 1)));
  const auto second = table.Identify(At(1, Alloc(A, 2)));
  table.Identify(At(2, Alloc(C, 2)));
  // The old address was up for reuse at request 2, not at 1.
  const auto moved = table.Identify(At(3, Realloc(A, B, 3), /*lag=*/1));
  EXPECT_EQ(moved.object, second.object);
  EXPECT_EQ(moved.explains, kNoRequest);
  EXPECT_EQ(table.unexplained(), 1u);
}

TEST(ObjectTableTest, TwoOverlappingReallocsOfOneAddress) {
  // Thread 1 gives A up at 1, thread 2 has it 1..2, thread 3 from 2 on. Both
  // reallocs end later, in either order.
  for (const bool first_ends_first : {true, false}) {
    ObjectTable table;
    const auto one = table.Identify(At(0, Alloc(A, 1))).object;
    const auto two = table.Identify(At(1, Alloc(A, 1))).object;
    const auto three = table.Identify(At(2, Alloc(A, 1))).object;
    if (first_ends_first) {
      EXPECT_EQ(table.Identify(At(3, Realloc(A, B, 2), 2)).object, one);
      EXPECT_EQ(table.Identify(At(4, Realloc(A, C, 2), 2)).object, two);
    } else {
      EXPECT_EQ(table.Identify(At(3, Realloc(A, C, 2), 1)).object, two);
      EXPECT_EQ(table.Identify(At(4, Realloc(A, B, 2), 3)).object, one);
    }
    EXPECT_EQ(table.unexplained(), 0u);
    EXPECT_EQ(table.Identify(At(5, Free(A))).object, three);
  }
}

TEST(ObjectTableTest, AfterADoubleAllocationBothCanBeFreed) {
  ObjectTable table;
  const auto first = table.Identify(At(0, Alloc(A, 1))).object;
  const auto second = table.Identify(At(1, Alloc(A, 1))).object;
  EXPECT_EQ(table.Identify(At(2, Free(A))).object, second);
  EXPECT_EQ(table.Identify(At(3, Free(A))).object, first);
  EXPECT_EQ(table.Identify(At(4, Free(A))).object, kNoObject);
  EXPECT_EQ(table.unexplained(), 1u);
}

// The same, slowly; addresses crowd together so that probe sequences collide
// and deletes shift.
TEST(ObjectTableTest, AgreesWithAMapOnRandomTraces) {
  for (const std::uint64_t spread : {64u, 4096u, 1u << 20}) {
    std::mt19937_64 random(spread);
    ObjectTable table;
    std::map<std::pair<int, std::uint64_t>, std::uint32_t> model;
    std::vector<std::uint32_t> freed;
    std::uint32_t fresh = 0;
    const auto take = [&] {
      if (freed.empty()) return fresh++;
      const std::uint32_t object = freed.back();
      freed.pop_back();
      return object;
    };
    for (int i = 0; i < 400000; ++i) {
      const auto layer = static_cast<Layer>(random() % 4);
      const int space = layer == Layer::kMem ? 2 : static_cast<int>(layer);
      const std::uint64_t address = 16 * (1 + random() % spread);
      auto found = model.find({space, address});
      const int raw = static_cast<int>(Layer::kRaw);
      const int libc = static_cast<int>(Layer::kLibc);
      if (found == model.end() && space != 2) {
        found = model.find({raw + libc - space, address});
      }
      if (found == model.end()) {
        if (random() % 4 == 0) {
          EXPECT_EQ(table.Identify(Free(address, layer)).object, kNoObject);
        }
        const std::uint32_t object = take();
        model[{space, address}] = object;
        ASSERT_EQ(table.Identify(Alloc(address, 1, layer)).object, object);
      } else if (random() % 3 == 0) {
        std::uint64_t to = 16 * (1 + random() % spread);
        if (model.contains({space, to})) to = address;
        const std::uint32_t object = found->second;
        model.erase(found);
        model[{space, to}] = object;
        ASSERT_EQ(table.Identify(Realloc(address, to, 1, layer)).object,
                  object);
      } else {
        ASSERT_EQ(table.Identify(Free(address, layer)).object, found->second);
        freed.push_back(found->second);
        model.erase(found);
      }
      ASSERT_EQ(table.live(), model.size());
    }
    EXPECT_EQ(table.high_water(), fresh);
    EXPECT_EQ(table.unexplained(), 0u);
  }
}

}  // namespace
}  // namespace arenalab
