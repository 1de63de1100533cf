// What the trace knows of a request, by hand.
#include "tools/replay/hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/model.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using testing::ElementsAre;

std::vector<RequestHint> HintsOf(const std::string& text,
                                 Scope scope = Scope::kPython) {
  const CompiledTrace trace = Compiled(text, scope);
  HintCursor cursor(trace, true);
  std::vector<RequestHint> hints;
  for (std::uint64_t i = 0; i < trace.steps; ++i)
    hints.push_back(cursor.Next());
  return hints;
}

std::vector<int> LifetimesOf(const std::string& text) {
  std::vector<int> lifetimes;
  for (const RequestHint& hint : HintsOf(text))
    lifetimes.push_back(hint.lifetime_log2);
  return lifetimes;
}

TEST(Hints, TheWorkedExampleOfTheHeader) {
  const std::vector<int> found = LifetimesOf(
      "malloc 1 8\nmalloc 2 100\nrealloc 1 40\nmalloc 3 1\nfree 1\n");
  EXPECT_THAT(std::vector<int>(found.begin(), found.begin() + 4),
              ElementsAre(7, 63, 0, 63));
}

TEST(Hints, ALifetimeIsAPowerOfTwoOfBytes) {
  for (const auto& [bytes, log2] : std::vector<std::pair<int, int>>{
           {1, 0}, {2, 1}, {3, 1}, {4, 2}, {1023, 9}, {1024, 10}}) {
    EXPECT_EQ(LifetimesOf("malloc 1 8\nmalloc 2 " + std::to_string(bytes) +
                          "\nfree 1\n")[0],
              log2)
        << bytes;
  }
}

TEST(Hints, ASlotThatIsUsedAgainIsAnotherBlock) {
  EXPECT_EQ(LifetimesOf("malloc 1 8\nfree 1\nmalloc 1 8\nmalloc 2 64\n"
                        "free 1\n")[2],
            6);
}

TEST(Hints, DomainThreadAndStateAreTheRequests) {
  const std::vector<RequestHint> hints = HintsOf(
      "malloc 1 8 domain=mem\n"
      "malloc 2 8 domain=obj thread=3\n"
      "malloc 3 8 domain=raw\n"  // out of scope: no step
      "malloc 4 8 domain=mem thread=3 state=1\n"
      "malloc 5 8\n");
  ASSERT_EQ(hints.size(), 4u);
  EXPECT_EQ(hints[0].domain, 1u);
  EXPECT_EQ(hints[1].domain, 2u);
  EXPECT_EQ(hints[2].domain, 1u);
  EXPECT_EQ(hints[0].thread, 0u);
  EXPECT_EQ(hints[1].thread, 3u);
  EXPECT_EQ(hints[2].thread, 3u);
  EXPECT_EQ(hints[2].state, 1u);
  EXPECT_EQ(hints[3].thread, 0u);
  EXPECT_EQ(hints[3].state, 0u);
}

std::uint64_t PoolsOf(const std::string& text, const std::string& settings) {
  const CompiledTrace trace = Compiled(text);
  const Samples samples = ChooseSamples(trace, 512, 10);
  const ModelRun run = RunModel(settings, trace, samples, {});
  std::uint64_t pools = 0;
  for (std::uint32_t of_class : run.samples.back().pools) pools += of_class;
  return pools;
}

// Four live blocks of one class in the end, of two threads and domains, one of
// them freed never.
constexpr char kFour[] =
    "malloc 1 64 domain=mem\n"
    "malloc 2 64 domain=obj\n"
    "malloc 3 64 domain=obj thread=1\n"
    "malloc 4 64 domain=obj thread=1 state=1\n";

TEST(ModelWithLanes, EachLaneHasPoolsOfItsOwn) {
  EXPECT_EQ(PoolsOf(kFour, "geometry:cpython-3.11"), 1u);
  EXPECT_EQ(PoolsOf(kFour, "lanes:none"), 1u);
  EXPECT_EQ(PoolsOf(kFour, "lanes:lifetime"), 1u) << "none is freed";
  EXPECT_EQ(PoolsOf(kFour, "lanes:domain"), 2u);
  EXPECT_EQ(PoolsOf(kFour, "lanes:thread"), 2u);
  EXPECT_EQ(PoolsOf(kFour, "lanes:state"), 2u);
}

// The trace knows types and sites only where it was recorded with them.
TEST(ModelWithLanes, TypesAndSitesAreRefusedWhereTheyWereNotRecorded) {
  CompiledTrace trace = Compiled(kFour);
  const Samples samples = ChooseSamples(trace, 512, 10);
  for (const char* settings : {"lanes:type", "lanes:site"}) {
    try {
      RunModel(settings, trace, samples, {});
      ADD_FAILURE() << settings;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("was recorded without"));
    }
  }
  trace.types = {1, 2, 2, 1};
  trace.sites = {1, 2, 3, 3};
  const auto pools = [&](const char* settings) {
    const ModelRun run = RunModel(settings, trace, samples, {});
    std::uint64_t sum = 0;
    for (std::uint32_t of_class : run.samples.back().pools) sum += of_class;
    return sum;
  };
  EXPECT_EQ(pools("lanes:type"), 2u);
  EXPECT_EQ(pools("lanes:site"), 3u);
}

// What the oracle is for: survivors among blocks that die together. 255 blocks
// of 64 bytes fill a pool; every 51st is never freed.
TEST(ModelWithLanes, SurvivorsSharePoolsInsteadOfPinningThem) {
  std::string text;
  for (int i = 0; i < 1020; ++i)
    text += "malloc " + std::to_string(i) + " 64\n";
  for (int i = 0; i < 1020; ++i)
    if (i % 51 != 0) text += "free " + std::to_string(i) + "\n";
  EXPECT_EQ(PoolsOf(text, "lanes:none"), 4u);
  EXPECT_EQ(PoolsOf(text, "lanes:lifetime"), 1u);
}

}  // namespace
}  // namespace arenalab
