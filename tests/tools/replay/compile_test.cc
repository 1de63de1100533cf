// Which requests become steps, what each step says, and that nothing is lost
// beside them.
#include "tools/replay/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/tools/replay/tiny_trace.h"

namespace arenalab {
namespace {

using testing::ElementsAre;

std::vector<Step> StepsOf(const CompiledTrace& trace) {
  std::vector<Step> steps;
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) steps.push_back(step);
  return steps;
}

std::vector<std::uint64_t> RequestsOf(const CompiledTrace& trace) {
  std::vector<std::uint64_t> requests;
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) requests.push_back(cursor.request() - 1);
  return requests;
}

constexpr char kFourLayers[] =
    "malloc 1 10 domain=raw\n"
    "malloc 2 20 domain=mem\n"
    "malloc 3 30 domain=obj\n"
    "malloc 4 40 domain=libc\n"
    "malloc 5 50 domain=obj depth=1\n"
    "free 2 domain=mem\n";

TEST(Compile, PythonsScopeIsItsTwoDomainsAtDepthZero) {
  const CompiledTrace trace = Compiled(kFourLayers);
  EXPECT_EQ(trace.steps, 3u);
  EXPECT_EQ(trace.requests, 6u);
  EXPECT_THAT(RequestsOf(trace), ElementsAre(1, 2, 5));
  EXPECT_EQ(trace.slots, 2u);
}

TEST(Compile, WiderScopesMarkWhatPymallocNeverServes) {
  const CompiledTrace raw = Compiled(kFourLayers, Scope::kPythonAndRaw);
  EXPECT_THAT(RequestsOf(raw), ElementsAre(0, 1, 2, 5));
  const std::vector<Step> steps = StepsOf(raw);
  EXPECT_TRUE(steps[0].foreign);
  EXPECT_FALSE(steps[1].foreign);
  const CompiledTrace process = Compiled(kFourLayers, Scope::kProcess);
  EXPECT_THAT(RequestsOf(process), ElementsAre(0, 1, 2, 3, 5));
  EXPECT_TRUE(StepsOf(process)[3].foreign);
}

TEST(Compile, GapsLongerThanAByteKeepRequestNumbers) {
  std::string text = "malloc 1 10\n";
  for (int i = 0; i < 500; ++i)
    text += "malloc 2 8 domain=raw\nfree 2 domain=raw\n";
  text += "free 1\n";
  EXPECT_THAT(RequestsOf(Compiled(text)), ElementsAre(0, 1001));
}

TEST(Compile, SizesRoundTripAtTheEdgesOfTheWord) {
  const std::uint64_t sizes[] = {
      0, 1, kWideSize - 1ull, kWideSize, kWideSize + 1ull, 1ull << 33};
  std::string text;
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    text +=
        "malloc " + std::to_string(i) + " " + std::to_string(sizes[i]) + "\n";
  }
  const std::vector<Step> steps = StepsOf(Compiled(text));
  ASSERT_EQ(steps.size(), std::size(sizes));
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    EXPECT_EQ(steps[i].size_bytes, sizes[i]);
  }
}

TEST(Compile, AlignmentFollowsAWideSize) {
  const std::vector<Step> steps = StepsOf(Compiled(
      "aligned 1 4096 1000000000 domain=libc\nmalloc 2 7 domain=libc\n",
      Scope::kProcess));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].code, OpCode::kAligned);
  EXPECT_EQ(steps[0].size_bytes, 1'000'000'000u);
  EXPECT_EQ(steps[0].align_log2, 12u);
  EXPECT_EQ(steps[1].size_bytes, 7u);
}

TEST(Compile, ReallocOfNothingIsAnAllocation) {
  const std::vector<Step> steps =
      StepsOf(Compiled("realloc 1 10\nrealloc 1 20\nfree 1\n"));
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].code, OpCode::kAlloc);
  EXPECT_EQ(steps[1].code, OpCode::kRealloc);
  EXPECT_EQ(steps[1].slot, steps[0].slot);
}

TEST(Compile, FreesOfUnknownBlocksAreCountedAndLeftOut) {
  const CompiledTrace trace =
      Compiled("free-unknown 0x1000\nmalloc 1 10\nfree 1\n");
  EXPECT_EQ(trace.unknown_frees, 1u);
  EXPECT_THAT(RequestsOf(trace), ElementsAre(1, 2));
}

TEST(Compile, TimePassesBetweenStepsInMilliseconds) {
  const CompiledTrace trace =
      Compiled("malloc 1 10 t=2999999\nfree 1 t=60000000000\n");
  StepCursor cursor(trace);
  Step step;
  ASSERT_TRUE(cursor.Next(&step));
  EXPECT_EQ(cursor.time_ns(), 2'000'000u);
  ASSERT_TRUE(cursor.Next(&step));
  EXPECT_EQ(cursor.time_ns(), 60'000'000'000u);
}

TEST(Compile, MarksStandBetweenSteps) {
  const CompiledTrace trace =
      Compiled("mark a\nmalloc 1 10\nmalloc 2 1 domain=raw\nmark b\nfree 1\n");
  ASSERT_EQ(trace.marks.size(), 2u);
  EXPECT_EQ(trace.marks[0].step, 0u);
  EXPECT_EQ(trace.marks[1].name, "b");
  EXPECT_EQ(trace.marks[1].step, 1u);
}

TEST(Compile, SamplesStandWhereTheirStepsAreDone) {
  const CompiledTrace trace =
      Compiled("malloc 1 10\nmalloc 2 1000000000\nfree 1\n");
  const OpFile file = WithSamples(trace, {0, 2, 3});
  std::vector<OpCode> codes;
  std::vector<std::uint32_t> samples;
  for (std::size_t i = 0; i < file.ops().size(); ++i) {
    const Op op = file.ops()[i];
    codes.push_back(CodeOf(op));
    if (CodeOf(op) == OpCode::kSample) samples.push_back(op.slot);
    if (CodeOf(op) != OpCode::kSample && SizeOf(op) == kWideSize) ++i;
  }
  EXPECT_THAT(codes, ElementsAre(OpCode::kSample, OpCode::kAlloc,
                                 OpCode::kAlloc, OpCode::kSample, OpCode::kFree,
                                 OpCode::kSample, OpCode::kEnd));
  EXPECT_THAT(samples, ElementsAre(0, 1, 2));
}

TEST(Compile, AnEmptyTraceIsOnlyAnEnd) {
  const CompiledTrace trace = Compiled("");
  EXPECT_EQ(trace.steps, 0u);
  ASSERT_EQ(trace.ops.ops().size(), 1u);
  EXPECT_EQ(CodeOf(trace.ops.ops()[0]), OpCode::kEnd);
}

}  // namespace
}  // namespace arenalab
