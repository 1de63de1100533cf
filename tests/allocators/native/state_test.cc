// The search for an interpreter's allocator state, on a state that this test
// laid out in its own data as CPython 3.12 and 3.13 do: found and made fresh
// where everything agrees, and left alone where anything does not.
#include "allocators/native/state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "allocators/native/arenas.h"

namespace arenalab {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 20;
constexpr std::size_t kPoolBytes = 16384;
constexpr std::size_t kHeads = 64;
constexpr std::size_t kCounters = kHeads + 4 + 65;
constexpr std::size_t kWords = kCounters + 4;

// One word more, which is the radix tree's.
std::uint64_t state[kWords + 1];

std::uint64_t Head(std::size_t size_class) {
  return reinterpret_cast<std::uint64_t>(&state[2 * size_class]) - 16;
}

const void* CodeHere() { return reinterpret_cast<const void*>(&Head); }

class StateTest : public testing::Test {
 protected:
  void SetUp() override {
    // Before Begin(): an arena of the interpreter's start.
    const PythonArenaAllocator source = arenas_.source();
    void* arena = source.acquire(source.context, kArenaBytes);
    pool_ = (reinterpret_cast<std::uint64_t>(arena) + kPoolBytes - 1) &
            ~(kPoolBytes - 1);
    for (std::size_t i = 0; i < kHeads; ++i) state[i] = Head(i / 2);
    // Class 3 has one used pool.
    state[6] = state[7] = pool_;
    SetLinks(Head(3), Head(3));
    for (std::size_t i = kHeads; i <= kWords; ++i) state[i] = 0x1000 + i;
    state[kCounters] = 1;      // live
    state[kCounters + 1] = 1;  // ever created
    std::memcpy(before_, state, sizeof(state));
  }

  void SetLinks(std::uint64_t next, std::uint64_t prev) {
    std::memcpy(reinterpret_cast<void*>(pool_ + 16), &next, sizeof(next));
    std::memcpy(reinterpret_cast<void*>(pool_ + 24), &prev, sizeof(prev));
  }

  std::string Refusal() {
    const char* refusal = ForgetStart(arenas_, CodeHere());
    return refusal == nullptr ? "" : refusal;
  }
  bool IsUntouched() const {
    return std::memcmp(state, before_, sizeof(state)) == 0;
  }

  NativeArenas arenas_;
  std::uint64_t pool_ = 0;
  std::uint64_t before_[kWords + 1];
};

TEST_F(StateTest, IsMadeAsItWasBeforeTheFirstRequest) {
  EXPECT_EQ(Refusal(), "");
  for (std::size_t i = 0; i < kHeads; ++i) EXPECT_EQ(state[i], Head(i / 2));
  for (std::size_t i = kHeads; i < kWords; ++i) EXPECT_EQ(state[i], 0u) << i;
  EXPECT_EQ(state[kWords], before_[kWords]) << "the radix tree is not its";
}

TEST_F(StateTest, CountersThatDisagreeAreAnotherLayout) {
  before_[kCounters + 1] = state[kCounters + 1] = 2;
  EXPECT_NE(Refusal().find("not laid out"), std::string::npos);
  EXPECT_TRUE(IsUntouched());
}

TEST_F(StateTest, APoolThatDoesNotPointBackIsNoList) {
  SetLinks(Head(3), Head(4));
  EXPECT_NE(Refusal().find("is not where"), std::string::npos);
  EXPECT_TRUE(IsUntouched());
}

TEST_F(StateTest, APoolOutsideOfArenasIsNotLookedAt) {
  before_[6] = state[6] = 0x10000;  // would be a fault
  EXPECT_NE(Refusal().find("is not where"), std::string::npos);
  EXPECT_TRUE(IsUntouched());
}

TEST_F(StateTest, AStartWithoutArenasHadNoPymalloc) {
  const NativeArenas none{};
  EXPECT_NE(std::string(ForgetStart(none, CodeHere())).find("without pymalloc"),
            std::string::npos);
}

TEST(NativeArenasTest, AreNumberedPlacedAndGivenBack) {
  NativeArenas arenas;
  const PythonArenaAllocator source = arenas.source();
  void* start = source.acquire(source.context, kArenaBytes);
  ASSERT_NE(start, nullptr);
  ASSERT_TRUE(arenas.Begin("013"));
  EXPECT_EQ(arenas.created(), 0u);
  constexpr std::uint64_t kOffsets[] = {0, 4096, 12288, 0};
  char* last = nullptr;
  for (std::uint64_t k = 0; k < 4; ++k) {
    auto* base =
        static_cast<char*>(source.acquire(source.context, kArenaBytes));
    ASSERT_NE(base, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(base) % kPoolBytes, kOffsets[k]);
    base[kArenaBytes - 1] = 1;  // is mapped to its end
    NativeArenas::Position position;
    ASSERT_TRUE(arenas.Find(base + 48, &position));
    EXPECT_EQ(position.arena, k);
    EXPECT_EQ(position.offset, 48u);
    last = base;
  }
  source.release(source.context, last, kArenaBytes);
  EXPECT_EQ(arenas.live(), 3u);
  // A frame stack's chunk and the start's arena are none of them.
  void* chunk = source.acquire(source.context, 16384);
  NativeArenas::Position position;
  EXPECT_FALSE(arenas.Find(chunk, &position));
  EXPECT_FALSE(arenas.Find(start, &position));
  source.release(source.context, chunk, 16384);
  source.release(source.context, start, kArenaBytes);
  EXPECT_EQ(arenas.start_live(), 0u);
  EXPECT_EQ(arenas.start_created(), 1u);
  EXPECT_EQ(arenas.live(), 3u);
}

TEST(NativeArenasTest, OffsetsThatAreNoDigitsAreRefused) {
  NativeArenas arenas;
  EXPECT_FALSE(arenas.Begin("01x"));
}

}  // namespace
}  // namespace arenalab
