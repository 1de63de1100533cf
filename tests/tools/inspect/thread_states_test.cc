// Lists of threads written by hand: by a table of offsets that is longer than
// 3.13's, as later releases have it, and with links that do not vouch for each
// other. Real ones are in verb_test.py.
#include "tools/inspect/thread_states.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/tools/inspect/image_memory.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kRuntime = 0x500000, kHeap = 0x900000;
constexpr std::uint64_t kHead = 0x300, kId = 0x1c20, kNext = 0x1c18,
                        kThreads = 0x1c60;
constexpr std::uint64_t kMain = kHeap + 0x1000, kOther = kHeap + 0x6000;

// Two interpreters, the newer one first, with one and two threads.
class ThreadStatesTest : public testing::Test {
 protected:
  ThreadStatesTest() {
    memory_.Map(kRuntime, 0x4000, "/usr/bin/python3.14");
    memory_.Map(kHeap, 0x20000);
    WriteTable(22);
    memory_.Write(kRuntime + kHead, kOther);
    WriteInterpreter(kOther, 1, kMain, {kHeap + 0x10000});
    WriteInterpreter(kMain, 0, 0, {kHeap + 0x12000, kHeap + 0x11000});
  }

  // The part about threads begins at word `threads`.
  void WriteTable(std::size_t threads) {
    std::vector<std::uint64_t> table(40, 0x1e00);
    std::memcpy(table.data(), "xdebugpy", 8);
    table[1] = 0x030e02f0;
    table[5] = kHead;
    table[7] = kId;
    table[8] = kNext;
    table[9] = kThreads;
    // size, previous, next, interpreter, frame, thread_id, native_id
    const std::uint64_t part[] = {0x300, 0, 8, 16, 72, 152, 160};
    std::copy(std::begin(part), std::end(part), table.begin() + threads);
    for (std::size_t i = 0; i < table.size(); ++i)
      memory_.Write(kRuntime + 0x80 + i * 8, table[i]);
    // The head's offset counts from the table.
    table[5] = kHead - 0x80;
    memory_.Write(kRuntime + 0x80 + 5 * 8, table[5]);
  }

  void WriteInterpreter(std::uint64_t at, std::uint64_t id, std::uint64_t next,
                        const std::vector<std::uint64_t>& threads) {
    memory_.Write(at + kId, id);
    memory_.Write(at + kNext, next);
    memory_.Write(at + kThreads, threads.at(0));
    for (std::size_t i = 0; i < threads.size(); ++i) {
      memory_.Write<std::uint64_t>(threads[i], i == 0 ? 0 : threads[i - 1]);
      memory_.Write<std::uint64_t>(
          threads[i] + 8, i + 1 == threads.size() ? 0 : threads[i + 1]);
      memory_.Write(threads[i] + 16, at);
      memory_.Write<std::uint64_t>(threads[i] + 72, i);  // the first has none
      memory_.Write<std::uint64_t>(threads[i] + 160, 100 * id + i);
    }
  }

  ImageMemory memory_;
};

TEST_F(ThreadStatesTest, FollowsATableThatSaysMoreThan313s) {
  const auto states = FindThreadStates(memory_, "3.14.2");
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 3u);
  EXPECT_EQ(states->at(0).interpreter, 1);
  EXPECT_EQ(states->at(0).native_id, 100u);
  EXPECT_EQ(states->at(1).interpreter, 0);
  EXPECT_FALSE(states->at(1).runs_python);
  EXPECT_EQ(states->at(2).native_id, 1u);
  EXPECT_TRUE(states->at(2).runs_python);
}

TEST_F(ThreadStatesTest, OfLinksThatDoNotVouchForEachOtherNothingIsTold) {
  memory_.Write<std::uint64_t>(kMain + kNext, kOther);  // no end
  EXPECT_FALSE(FindThreadStates(memory_, "3.14.2"));
  memory_.Write<std::uint64_t>(kMain + kNext, 0);
  memory_.Write<std::uint64_t>(kHeap + 0x10000 + 16, kMain);
  EXPECT_FALSE(FindThreadStates(memory_, "3.14.2"));
}

TEST_F(ThreadStatesTest, AListOfThreadsThatChangedIsToldUpToThere) {
  memory_.Write<std::uint64_t>(kHeap + 0x11000 + 8, kHeap + 0x12000);
  const auto states = FindThreadStates(memory_, "3.14.2");
  ASSERT_TRUE(states);
  EXPECT_EQ(states->size(), 3u);
}

TEST_F(ThreadStatesTest, AnInterpreterWithoutThreadsIsNoEnd) {
  memory_.Write<std::uint64_t>(kOther + kThreads, 0);
  const auto states = FindThreadStates(memory_, "3.14.2");
  ASSERT_TRUE(states);
  EXPECT_EQ(states->size(), 2u);
}

TEST_F(ThreadStatesTest, AnOlderReleaseHasNoTable) {
  memory_.Write<std::uint64_t>(kRuntime + 0x88, 0x030c01f0);
  EXPECT_FALSE(FindThreadStates(memory_, "3.12.1"));
  EXPECT_FALSE(FindThreadStates(memory_, ""));
}

TEST_F(ThreadStatesTest, SurvivesDamage) {
  std::mt19937_64 random(4);
  std::size_t told = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t places[] = {
        kRuntime + 0x80 + random() % 256, kMain + kNext + random() % 96,
        kOther + kNext + random() % 96, kHeap + 0x10000 + random() % 0x2100};
    unsigned char& byte = *memory_.At(places[random() % 4]);
    const unsigned char before = byte;
    byte = static_cast<unsigned char>(random());
    for (const char* python : {"3.14.0", "3.12.1", "3.6.1"})
      told += FindThreadStates(memory_, python).has_value();
    byte = before;
  }
  EXPECT_GT(told, 100u);
}

}  // namespace
}  // namespace arenalab
