// The self-test: it passes where there is something to change, and does not
// where there is nothing.
#include "tools/verify/self_test.h"

#include <gtest/gtest.h>

#include "tests/tools/verify/trace_builder.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kArena = 256 << 10;
constexpr std::uint64_t kBase = 0x7f0000000000;

TEST(SelfTestTest, CatchesAddressFreeAndGeneration) {
  TraceBuilder trace("churn.trace", "cpython-3.9");
  trace.Acquire(kBase, kArena).Malloc(100, kBase + 48);
  for (int i = 0; i < 8; ++i) {
    trace.Malloc(100, kBase + 160).Free(kBase + 160);
  }
  const SelfTestReport report = SelfTest(trace.Finish(), {});
  EXPECT_TRUE(report.passed) << SelfTestText(report);
  ASSERT_EQ(report.cases.size(), 3u);
  for (const SelfTestCase& c : report.cases) {
    EXPECT_TRUE(c.caught) << c.name;
    EXPECT_EQ(c.report.status, VerifyStatus::kMismatch) << c.name;
  }
  EXPECT_EQ(report.cases[1].report.first->event, report.cases[1].at);
}

TEST(SelfTestTest, DoesNotPassWhereNothingCanBeChanged) {
  TraceBuilder trace("grow.trace", "cpython-3.9");
  trace.Acquire(kBase, kArena).Malloc(100, kBase + 48);
  const SelfTestReport report = SelfTest(trace.Finish(), {});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.skipped, "");
}

TEST(SelfTestTest, DoesNotPassOnATraceThatIsNotEqual) {
  TraceBuilder trace("unequal.trace", "cpython-3.9");
  trace.Acquire(kBase, kArena).Malloc(100, kBase + 64);
  const SelfTestReport report = SelfTest(trace.Finish(), {});
  EXPECT_FALSE(report.passed);
  EXPECT_TRUE(report.cases.empty());
}

}  // namespace
}  // namespace arenalab
