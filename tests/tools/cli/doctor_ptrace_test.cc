// Each of yama's four values, with and without the capability.
#include "tools/cli/doctor_ptrace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arenalab {
namespace {

using testing::HasSubstr;

constexpr char kAll[] = "\t000001ffffffffff";
constexpr char kNone[] = "\t0000000000000000";
constexpr char kAllButPtrace[] = "\t000001fffff7ffff";

TEST(DoctorPtraceTest, SaysWhoMayBeRead) {
  for (const char* scope : {"", "0", "1", "2"})
    EXPECT_EQ(PtraceFinding(scope, kAll).severity, Severity::kFine) << scope;
  for (const char* capabilities : {kNone, kAllButPtrace}) {
    EXPECT_EQ(PtraceFinding("", capabilities).severity, Severity::kFine);
    EXPECT_THAT(PtraceFinding("0", capabilities).verdict,
                HasSubstr("others' need CAP_SYS_PTRACE"));
    const Finding children = PtraceFinding("1", capabilities);
    EXPECT_EQ(children.severity, Severity::kNote);
    EXPECT_THAT(children.cause, HasSubstr("only its own children"));
    EXPECT_THAT(children.fix, HasSubstr("kernel.yama.ptrace_scope=0"));
    const Finding none = PtraceFinding("2", capabilities);
    EXPECT_EQ(none.severity, Severity::kBad);
    EXPECT_THAT(none.fix, HasSubstr("--cap-add=SYS_PTRACE"));
  }
  EXPECT_EQ(PtraceFinding("3", kAll).severity, Severity::kBad);
  EXPECT_THAT(PtraceFinding("3", kNone).cause, HasSubstr("core files only"));
}

}  // namespace
}  // namespace arenalab
