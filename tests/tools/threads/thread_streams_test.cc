// What a recorded thread becomes, operation for operation, by hand.
#include "tools/threads/thread_streams.h"

#include <gmock/gmock.h>

#include "tests/tools/threads/thread_fixture.h"

namespace arenalab {

// For failure messages and comparison.
bool operator==(ThreadOp a, ThreadOp b) {
  return a.slot == b.slot && a.word == b.word;
}

namespace {

using testing::ElementsAre;

ThreadOp Alloc(std::uint32_t slot, std::uint32_t size,
               std::uint32_t flags = 0) {
  return MakeThreadOp(ThreadCode::kAlloc, slot, size, flags);
}
ThreadOp Free(std::uint32_t slot, std::uint32_t flags = 0) {
  return MakeThreadOp(ThreadCode::kFree, slot, 0, flags);
}
ThreadOp Turn(std::uint32_t turn) { return {turn, 0}; }
const ThreadOp kEndOp = MakeThreadOp(ThreadCode::kEnd, 0, 0, 0);

// The header's example: a is handed over, b and c stay.
constexpr char kExample[] = R"(meta addresses none
malloc 1 24 thread=0
malloc 2 8 thread=1
malloc 3 16 thread=0
free 1 thread=1
free 2 thread=1
free 3 thread=0
)";

TEST(ThreadStreamsTest, OnlyTheObjectThatMovesIsHandedOver) {
  const ThreadStreams streams(Compiled(kExample), {.streams = 2});
  const MappedStreams mapped(streams);
  EXPECT_EQ(streams.shared_objects(), 1u);
  EXPECT_EQ(streams.handovers(), 1u);
  EXPECT_EQ(streams.events(), 6u);
  // Three steps each: the first thread goes to the first stream.
  EXPECT_THAT(mapped.OpsOf(0),
              ElementsAre(Alloc(0, 24, kShared | kPublish), Turn(0),
                          Alloc(0, 16), Free(0), kEndOp));
  EXPECT_THAT(mapped.OpsOf(1),
              ElementsAre(Alloc(0, 8), Free(0, kShared | kWait), Turn(1),
                          Free(0), kEndOp));
}

TEST(ThreadStreamsTest, OneStreamIsTheRecordedOrderAndHandsNothingOver) {
  const ThreadStreams streams(Compiled(kExample), {.streams = 1});
  EXPECT_EQ(streams.handovers(), 0u);
  EXPECT_THAT(MappedStreams(streams).OpsOf(0),
              ElementsAre(Alloc(0, 24), Alloc(1, 8), Alloc(2, 16), Free(0),
                          Free(1), Free(2), kEndOp));
  EXPECT_THAT(streams.streams()[0].threads, ElementsAre(0, 1));
}

TEST(ThreadStreamsTest, AnObjectThatComesBackCountsItsTurns) {
  const ThreadStreams streams(Compiled(R"(meta addresses none
malloc 1 24 thread=0
realloc 1 48 thread=1
realloc 1 96 thread=1
free 1 thread=0
)"),
                              {.streams = 2});
  const MappedStreams mapped(streams);
  EXPECT_EQ(streams.handovers(), 2u);
  EXPECT_THAT(mapped.OpsOf(0),
              ElementsAre(Alloc(0, 24, kShared | kPublish), Turn(0),
                          Free(0, kShared | kWait), Turn(2), kEndOp));
  EXPECT_THAT(
      mapped.OpsOf(1),
      ElementsAre(MakeThreadOp(ThreadCode::kRealloc, 0, 48, kShared | kWait),
                  Turn(1),
                  // Nothing moves between the two reallocs: no wait.
                  MakeThreadOp(ThreadCode::kRealloc, 0, 96, kShared | kPublish),
                  Turn(1), kEndOp));
}

TEST(ThreadStreamsTest, WideSizesAndAlignmentsStandBehindTheOperation) {
  const ThreadStreams streams(Compiled(R"(meta addresses none
malloc 1 67108863 thread=0
aligned 2 64 100 thread=0
)"),
                              {.streams = 1});
  EXPECT_THAT(MappedStreams(streams).OpsOf(0),
              ElementsAre(Alloc(0, kWideThreadSize), MakeWideThreadOp(67108863),
                          MakeThreadOp(ThreadCode::kAligned, 1, 100, 0),
                          ThreadOp{6, 0}, kEndOp));
}

TEST(ThreadStreamsTest, ThreadsAreDealtLargestFirstToTheEmptiestStream) {
  // 1, 3 and 2 steps: thread 1 alone, 2 and 0 together.
  const ThreadStreams streams(Compiled(R"(meta addresses none
malloc 1 8 thread=0
malloc 2 8 thread=1
malloc 3 8 thread=1
malloc 4 8 thread=1
malloc 5 8 thread=2
malloc 6 8 thread=2
)"),
                              {.streams = 2});
  EXPECT_THAT(streams.streams()[0].threads, ElementsAre(1));
  EXPECT_THAT(streams.streams()[1].threads, ElementsAre(0, 2));
  EXPECT_EQ(streams.streams()[1].events, 3u);
}

TEST(ThreadStreamsTest, NoMoreStreamsThanThreadsWereRecorded) {
  const ThreadStreams streams(Compiled(kExample), {.streams = 16});
  EXPECT_EQ(streams.streams().size(), 2u);
}

TEST(ThreadStreamsTest, AWindowPublishesEveryEighthOfItself) {
  const ThreadStreams streams(Compiled(R"(meta addresses none
malloc 1 8 thread=0
malloc 2 8 thread=0
malloc 3 8 thread=1
malloc 4 8 thread=0
)"),
                              {.streams = 2, .window = 16});
  const ThreadOp position = MakeThreadOp(ThreadCode::kPosition, 0, 0, 0);
  EXPECT_THAT(
      MappedStreams(streams).OpsOf(0),
      ElementsAre(position, MakeWideThreadOp(0), Alloc(0, 8), Alloc(1, 8),
                  position, MakeWideThreadOp(3), Alloc(2, 8), kEndOp));
  EXPECT_THAT(MappedStreams(streams).OpsOf(1),
              ElementsAre(position, MakeWideThreadOp(2), Alloc(0, 8), kEndOp));
}

TEST(ThreadStreamsTest, MomentsStopEveryStreamBetweenTheSameSteps) {
  const ThreadStreams streams(Compiled(kExample),
                              {.streams = 2, .moments = {3, 6}});
  const auto moment = [](std::uint32_t number) {
    return MakeThreadOp(ThreadCode::kMoment, number, 0, 0);
  };
  EXPECT_THAT(MappedStreams(streams).OpsOf(0),
              ElementsAre(Alloc(0, 24, kShared | kPublish), Turn(0),
                          Alloc(0, 16), moment(0), Free(0), moment(1), kEndOp));
  EXPECT_EQ(streams.moments(), 2u);
}

TEST(ThreadStreamsTest, MomentsAreEvenAndHaveThePeakAndTheEnd) {
  // Live bytes 24, 32, 48, 24, 16, 0: the peak is after the third step.
  EXPECT_THAT(ThreadMoments(Compiled(kExample), 1), ElementsAre(3, 6));
  EXPECT_THAT(ThreadMoments(Compiled(kExample), 2), ElementsAre(2, 3, 4, 6));
}

}  // namespace
}  // namespace arenalab
