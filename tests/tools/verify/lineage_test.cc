// Traces of forked children: the parents' prefixes come first.
#include "tools/verify/lineage.h"

#include <gtest/gtest.h>

#include "tests/tools/verify/trace_builder.h"
#include "tools/verify/verify.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kArena = 256 << 10;
constexpr std::uint64_t kBase = 0x7f0000000000;

// Two forks: between them the parent takes the block at +64.
std::string WriteParent() {
  TraceBuilder trace("parent.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena).Malloc(16, kBase + 48).Fork(0);
  trace.Malloc(16, kBase + 64).Fork(1).Malloc(16, kBase + 80);
  return trace.Finish();
}

std::string WriteChild(const std::string& name, const std::string& parent,
                       std::uint64_t next) {
  TraceBuilder trace(name, "cpython-3.8");
  trace.Meta("parent", parent).Malloc(16, next).Free(kBase + 48);
  return trace.Finish();
}

TEST(LineageTest, AChildStartsWithItsParentsHeapAtTheFork) {
  WriteParent();
  const VerifyReport first =
      Verify(WriteChild("first.trace", "parent.trace 0", kBase + 64), {});
  EXPECT_EQ(first.status, VerifyStatus::kEqual) << VerifyText(first);
  EXPECT_EQ(first.inherited, 1u);
  EXPECT_EQ(first.requests, 2u);
  const VerifyReport second =
      Verify(WriteChild("second.trace", "parent.trace 1", kBase + 80), {});
  EXPECT_EQ(second.status, VerifyStatus::kEqual) << VerifyText(second);
  EXPECT_EQ(second.inherited, 2u);
}

TEST(LineageTest, TheWrongForkIsAMismatch) {
  WriteParent();
  EXPECT_EQ(Verify(WriteChild("wrong.trace", "parent.trace 1", kBase + 64), {})
                .status,
            VerifyStatus::kMismatch);
}

TEST(LineageTest, AGrandchildStartsWithBoth) {
  WriteParent();
  TraceBuilder child("child.trace", "cpython-3.8");
  child.Meta("parent", "parent.trace 0").Malloc(16, kBase + 64).Fork(0);
  child.Malloc(16, kBase + 80);
  child.Finish();
  const VerifyReport report =
      Verify(WriteChild("grandchild.trace", "child.trace 0", kBase + 80), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  const std::vector<Ancestor> lineage =
      LineageOf(testing::TempDir() + "/grandchild.trace");
  ASSERT_EQ(lineage.size(), 3u);
  EXPECT_NE(lineage[0].path.find("parent.trace"), std::string::npos);
  EXPECT_NE(lineage[2].path.find("grandchild.trace"), std::string::npos);
}

TEST(LineageTest, AForkThatTheParentLacksCannotBeVerified) {
  WriteParent();
  const VerifyReport report =
      Verify(WriteChild("beyond.trace", "parent.trace 2", kBase + 64), {});
  EXPECT_EQ(report.status, VerifyStatus::kCannot);
  EXPECT_NE(report.reason.find("ends before fork 2"), std::string::npos)
      << report.reason;
}

TEST(LineageTest, WhatCannotBeFollowedIsAnInputError) {
  EXPECT_THROW(LineageOf(WriteChild("orphan.trace", "gone.trace 0", kBase)),
               InputError);
  EXPECT_THROW(LineageOf(WriteChild("garbled.trace", "parent.trace x", kBase)),
               InputError);
  EXPECT_THROW(LineageOf(WriteChild("nofork.trace", "parent.trace", kBase)),
               InputError);
  EXPECT_THROW(LineageOf(WriteChild("loop.trace", "loop.trace 0", kBase)),
               InputError);
}

}  // namespace
}  // namespace arenalab
