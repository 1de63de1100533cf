// The clock, the curve of requested bytes, and where valleys are found.
#include "tools/replay/moments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/replay/tiny_trace.h"

namespace arenalab {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Lt;

constexpr std::size_t kMaxSmall = 512;

Samples SamplesOf(const std::string& text, std::size_t count = 1000) {
  return ChooseSamples(Compiled(text), kMaxSmall, count);
}

// A curve as text: each number is a small requested total in hundreds of
// bytes, reached from the one before it by blocks of 100 bytes.
std::string Curve(const std::vector<int>& totals,
                  const std::string& at_end = "") {
  std::string text;
  int now = 0;
  for (const int total : totals) {
    for (; now < total; ++now)
      text += "malloc " + std::to_string(now) + " 100\n";
    for (; now > total; --now) text += "free " + std::to_string(now - 1) + "\n";
  }
  return text + at_end;
}

std::vector<std::uint64_t> ValleySteps(const std::string& text) {
  const Samples samples = SamplesOf(text);
  std::vector<std::uint64_t> steps;
  for (const std::size_t valley : samples.moments.valleys)
    steps.push_back(samples.timeline.steps[valley]);
  return steps;
}

TEST(Moments, ClockIsWhatWasAllocatedAndWhatGrew) {
  const Samples samples = SamplesOf(
      "malloc 1 100\nrealloc 1 150\nrealloc 1 20\ncalloc 2 7\nfree 1\n");
  EXPECT_THAT(samples.timeline.allocated_bytes.back(), 157u);
  EXPECT_EQ(samples.timeline.requested_bytes.back(), 7u);
  EXPECT_EQ(samples.timeline.live_objects.back(), 1u);
}

TEST(Moments, SmallIsOneToTheLimitAndOnceLargeStaysLarge) {
  const auto small_at_end = [](const std::string& text) {
    return SamplesOf(text).timeline.requested_small_bytes.back();
  };
  EXPECT_EQ(small_at_end("malloc 1 0\n"), 0u);
  EXPECT_EQ(small_at_end("malloc 1 1\n"), 1u);
  EXPECT_EQ(small_at_end("malloc 1 512\n"), 512u);
  EXPECT_EQ(small_at_end("malloc 1 513\n"), 0u);
  EXPECT_EQ(small_at_end("malloc 1 513\nrealloc 1 100\n"), 0u);
  EXPECT_EQ(small_at_end("malloc 1 100\nrealloc 1 513\n"), 0u);
  EXPECT_EQ(small_at_end("malloc 1 100\nrealloc 1 200\n"), 200u);
  // A number that is used again starts anew.
  EXPECT_EQ(small_at_end("malloc 1 513\nfree 1\nmalloc 1 100\n"), 100u);
}

TEST(Moments, PeakIsTheFirstOfTheMost) {
  const Samples samples = SamplesOf(Curve({5, 2, 5, 1}));
  EXPECT_EQ(samples.timeline.steps[samples.moments.peak], 5u);
  EXPECT_EQ(samples.moments.end, samples.timeline.steps.size() - 1);
  EXPECT_EQ(samples.timeline.steps.back(), 5u + 3 + 3 + 4);
}

TEST(Moments, ValleyIsAFallAndARiseOfAFifthOfThePeak) {
  // Peak 10: a fifth is 2. 10 -> 8 -> 10 is one; its lowest step is 12.
  EXPECT_THAT(ValleySteps(Curve({10, 8, 10})), ElementsAre(12));
  EXPECT_THAT(ValleySteps(Curve({10, 9, 10})), IsEmpty());
  // The fall is enough, the rise is not.
  EXPECT_THAT(ValleySteps(Curve({10, 8, 9})), IsEmpty());
  // The peak comes later, and measured by it the first fall is none.
  EXPECT_THAT(ValleySteps(Curve({10, 8, 20})), IsEmpty());
  // A smaller dip on the way down belongs to the valley.
  EXPECT_THAT(ValleySteps(Curve({10, 6, 7, 3, 9})),
              ElementsAre(10 + 4 + 1 + 4));
}

TEST(Moments, OfAPlateauTheLastStepCounts) {
  // Steps that leave the small bytes alone: large requests.
  std::string text = Curve({10, 2});
  text += "malloc 100 5000\nfree 100\n";
  for (int now = 2; now < 10; ++now)
    text += "malloc " + std::to_string(now) + " 100\n";
  EXPECT_THAT(ValleySteps(text), ElementsAre(10 + 8 + 2));
}

TEST(Moments, TheFinaliseMarkIsAWallAndTheEndIsNone) {
  EXPECT_THAT(ValleySteps(Curve({10, 2})), IsEmpty());
  EXPECT_THAT(ValleySteps(Curve({10, 2}, "mark finalise\n")), ElementsAre(18));
  // What teardown frees is not the program's.
  EXPECT_THAT(ValleySteps(Curve({10, 2}, "mark finalise\nfree 1\nfree 0\n")),
              ElementsAre(18));
  EXPECT_THAT(ValleySteps(Curve({10}, "mark finalise\nfree 1\nfree 0\n")),
              IsEmpty());
}

TEST(Moments, LastValleyIsTheLast) {
  const Samples samples = SamplesOf(Curve({10, 2, 9, 4, 10}));
  ASSERT_EQ(samples.moments.valleys.size(), 2u);
  EXPECT_EQ(samples.moments.last_valley(), samples.moments.valleys[1]);
  EXPECT_EQ(samples.timeline.steps[samples.moments.valleys[1]],
            10u + 8 + 7 + 5);
}

TEST(Moments, SamplesAreEquallySpacedOnTheClock) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "malloc " + std::to_string(i) + " 100\n";
  const Samples samples = SamplesOf(text, 10);
  std::vector<std::uint64_t> clock = samples.timeline.allocated_bytes;
  EXPECT_THAT(clock, ElementsAre(0, 10000, 20000, 30000, 40000, 50000, 60000,
                                 70000, 80000, 90000, 100000));
}

TEST(Moments, ValuesAreThoseBetweenTwoRequests) {
  const Samples samples = SamplesOf(
      "malloc 1 100\nmalloc 9 1 domain=raw\nmark here\nmalloc 2 30\n", 1);
  const std::size_t mark = samples.moments.marks[0];
  EXPECT_EQ(samples.timeline.request[mark], 1u);
  EXPECT_EQ(samples.timeline.requested_bytes[mark], 100u);
  EXPECT_EQ(samples.timeline.request.back(), 4u - 1);
}

TEST(Moments, ASawtoothKeepsItsDeepestValleysAndTheLast) {
  std::vector<int> totals;
  for (int i = 0; i < 100; ++i) {
    totals.push_back(10);
    totals.push_back(i == 50 ? 1 : 5);
  }
  totals.push_back(10);
  const Samples samples = SamplesOf(Curve(totals));
  EXPECT_EQ(samples.moments.valleys.size(), 64u);
  std::vector<std::uint64_t> lows;
  for (const std::size_t valley : samples.moments.valleys)
    lows.push_back(samples.timeline.requested_small_bytes[valley]);
  EXPECT_THAT(lows, testing::Contains(100));
  EXPECT_EQ(samples.timeline.steps[*samples.moments.last_valley()],
            samples.timeline.steps.back() - 5);
}

TEST(Moments, AnEmptyTraceHasOneSampleOfNothing) {
  const Samples samples = SamplesOf("");
  EXPECT_THAT(samples.timeline.steps, ElementsAre(0));
  EXPECT_THAT(samples.timeline.requested_bytes, ElementsAre(0));
  EXPECT_THAT(samples.moments.valleys, IsEmpty());
  EXPECT_EQ(samples.moments.last_valley(), std::nullopt);
}

TEST(Moments, OnlyLargeRequestsHaveNoSmallPeak) {
  const Samples samples = SamplesOf("malloc 1 1000\nfree 1\nmark finalise\n");
  EXPECT_THAT(samples.timeline.requested_small_bytes, Each(Lt(1u)));
  EXPECT_THAT(samples.moments.valleys, IsEmpty());
}

}  // namespace
}  // namespace arenalab
