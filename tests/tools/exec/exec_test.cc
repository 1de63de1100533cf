// Arms, their lines to copy, the last valley of a curve, and the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/exec/arm.h"
#include "tools/exec/arms.h"
#include "tools/exec/measured_run.h"
#include "tools/exec/remedies.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& allocator, Scope scope) {
  try {
    AllocatorArm(allocator, scope);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::vector<MemorySample> Curve(const std::vector<std::uint64_t>& bytes) {
  std::vector<MemorySample> curve;
  for (const std::uint64_t value : bytes) {
    curve.push_back({static_cast<double>(curve.size()), value});
  }
  return curve;
}

TEST(LastValley, IsTheLeastBeforeTheLastRiseOfAFifthOfThePeak) {
  EXPECT_EQ(LastValley(Curve({0, 100, 30, 60})), 30u);
  EXPECT_EQ(LastValley(Curve({0, 100, 30, 80, 50, 70})), 50u);
  EXPECT_EQ(LastValley(Curve({0, 100, 30, 20, 25, 45, 30})), 20u);
}

TEST(LastValley, NeedsAFallAndARiseOfAFifth) {
  EXPECT_EQ(LastValley(Curve({0, 100, 85, 100})), std::nullopt);
  EXPECT_EQ(LastValley(Curve({0, 100, 30, 49})), std::nullopt);
  EXPECT_EQ(LastValley(Curve({0, 50, 100})), std::nullopt);
  EXPECT_EQ(LastValley({}), std::nullopt);
}

TEST(AllocatorArm, HandsSettingsOverAsEachLibraryReadsThem) {
  EXPECT_EQ(LineOf(AllocatorArm("native", Scope::kMemAndObject),
                   {"python3", "an app.py"}),
            "python3 'an app.py'");
  EXPECT_THAT(
      LineOf(AllocatorArm("pymalloc{keep_arenas:2}", Scope::kMemAndObject),
             {"python3"}),
      testing::AllOf(HasSubstr("ARENALAB_PYMALLOC=keep_arenas:2 "),
                     HasSubstr("libarenalab_pymalloc.so python3")));
  EXPECT_THAT(
      LineOf(AllocatorArm("mimalloc{decommit_delay:0}", Scope::kRaw), {"p"}),
      testing::AllOf(HasSubstr("MIMALLOC_DECOMMIT_DELAY=0 "),
                     HasSubstr("ARENALAB_SCOPE=raw p")));
  EXPECT_THAT(
      LineOf(AllocatorArm("jemalloc{dirty_decay_ms:0}", Scope::kProcess),
             {"p"}),
      testing::AllOf(HasSubstr("MALLOC_CONF=dirty_decay_ms:0 "),
                     HasSubstr("libarenalab_system.so:libjemalloc.so.2 p")));
  EXPECT_THAT(
      LineOf(AllocatorArm("system{arena_max:1}", Scope::kMemAndObject), {"p"}),
      HasSubstr("GLIBC_TUNABLES=glibc.malloc.arena_max=1 "));
}

TEST(AllocatorArm, RefusesWhatCannotBe) {
  EXPECT_THAT(ErrorOf("dlmalloc", Scope::kRaw), HasSubstr("there are native"));
  EXPECT_THAT(ErrorOf("./no.so", Scope::kRaw), HasSubstr("no such file"));
  EXPECT_THAT(ErrorOf("pymalloc", Scope::kRaw), HasSubstr("lock"));
  EXPECT_THAT(ErrorOf("pymalloc", Scope::kProcess), HasSubstr("lock"));
  EXPECT_THAT(ErrorOf("pass-through", Scope::kProcess), HasSubstr("scopes"));
  EXPECT_THAT(ErrorOf("pymalloc{pools:1}", Scope::kMemAndObject),
              HasSubstr("no such key"));
  EXPECT_THAT(ErrorOf("pass-through{a:1}", Scope::kMemAndObject),
              HasSubstr("takes no settings"));
  EXPECT_EQ(ErrorOf("pymalloc", Scope::kMemAndObject), "");
  EXPECT_THROW(ParseScope("all"), InputError);
  EXPECT_THROW(SplitAllocators("a,,b"), InputError);
  EXPECT_THROW(SplitAllocators("a,a"), InputError);
  EXPECT_THAT(SplitAllocators("pymalloc{a:1,b:2},system"),
              testing::ElementsAre("pymalloc{a:1,b:2}", "system"));
}

ArmComparison TwoArms() {
  ArmComparison comparison;
  comparison.rounds = 3;
  constexpr std::uint64_t kMiB = 1 << 20;
  MeasuredRun first;
  first.cpu_s = 2;
  first.peak_bytes = 100 * kMiB;
  first.valley_bytes = 80 * kMiB;
  first.end_bytes = 90 * kMiB;
  MeasuredRun other = first;
  other.valley_bytes = 20 * kMiB;
  other.end_bytes = 90 * kMiB;
  comparison.arms.push_back({{"as it is", {}, ""}, {first}, first, {}});
  comparison.arms.push_back(
      {{"other", {{"A", "1"}}, ""}, {other}, other, {1.25, 1.2, 1.3, {}}});
  comparison.arms.push_back({{"none", {{"B", "1"}}, ""}, {first}, first, {}});
  return comparison;
}

TEST(RemedyTable, SaysWhatEachSavesAndTheLineOfThoseThatDo) {
  const std::string table = RemedyTable(TwoArms(), {"python3", "app.py"});
  EXPECT_THAT(table, HasSubstr("      +0.0      +60.0       +0.0  1.25 "
                               "[1.20-1.30]\n"));
  EXPECT_THAT(table, HasSubstr("  # 60.0 MiB less, CPU 1.25\n"
                               "  A=1 python3 app.py\n"));
  EXPECT_THAT(table, testing::Not(HasSubstr("B=1")));
}

TEST(ArmTable, HasALineForEachArmAndOneForItsNoise) {
  const std::string table = ArmTable(TwoArms());
  EXPECT_THAT(table, HasSubstr("2.00  1.250 [1.200-1.300] "));
  EXPECT_THAT(table, HasSubstr("100.0       20.0       90.0"));
  EXPECT_THAT(table, HasSubstr("A/A: as it is against itself, CPU 1.000"));
}

TEST(RunMeasured, TakesStatusPeakAndTime) {
  const Arm none{"as it is", {{"STATUS", "3"}}, ""};
  const MeasuredRun run =
      RunMeasured(none, {"sh", "-c", "sleep 0.05; exit $STATUS"}, true);
  EXPECT_EQ(run.status, 3);
  EXPECT_GE(run.wall_s, 0.05);
  EXPECT_GT(run.peak_bytes, 100u * 1024);
  EXPECT_EQ(RunMeasured(none, {"sh", "-c", "kill -9 $$"}, true).status, 137);
  EXPECT_EQ(RunMeasured(none, {"/no/such/program"}, true).status, 127);
}

}  // namespace
}  // namespace arenalab
