// A run's processes are verified together, and each as if it were alone.
#include "tools/verify/family.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/tools/verify/trace_builder.h"
#include "tools/verify/verify.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kArena = 256 << 10;
constexpr std::uint64_t kBase = 0x7f0000000000;

// In a folder of its own: main.trace forks twice, main.1.trace once more, and
// main.3.trace is another program that one of them started.
class FamilyTest : public testing::Test {
 protected:
  FamilyTest() {
    std::filesystem::remove_all(testing::TempDir() + "/family");
    std::filesystem::create_directories(testing::TempDir() + "/family");
    Trace("main").Acquire(kBase, kArena).Malloc(16, kBase + 48).Fork(0);
    main_->Malloc(16, kBase + 64).Fork(1).Malloc(16, kBase + 80);
    main_->Finish();
  }

  TraceBuilder& Trace(const std::string& name, const std::string& run = "r1") {
    main_ = std::make_unique<TraceBuilder>("family/" + name + ".trace",
                                           "cpython-3.8");
    main_->Meta("run", run);
    return *main_;
  }
  void Child(const std::string& name, const std::string& parent,
             std::uint64_t address) {
    Trace(name).Meta("parent", parent).Malloc(16, address).Fork(0);
    main_->Malloc(16, address + 16).Finish();
  }
  static std::string Path(const std::string& name) {
    return testing::TempDir() + "/family/" + name + ".trace";
  }
  static std::vector<nlohmann::json> Reports() {
    std::vector<nlohmann::json> reports;
    for (const std::string& report : VerifyRun(Path("main"), {})) {
      reports.push_back(nlohmann::json::parse(report));
    }
    return reports;
  }

  std::unique_ptr<TraceBuilder> main_;
};

TEST_F(FamilyTest, ConsistsOfTheTracesOfTheRun) {
  Child("main.1", "main.trace 0", kBase + 64);
  Trace("main.3").Finish();
  Trace("other", "r2").Finish();
  const Family family(Path("main"));
  ASSERT_EQ(family.members().size(), 3u);
  EXPECT_EQ(family.members()[0], Path("main"));
  EXPECT_EQ(family.ForkedAt(Path("main"), 0),
            std::vector<std::string>{Path("main.1")});
  EXPECT_TRUE(family.ForkedAt(Path("main"), 1).empty());
  EXPECT_TRUE(family.IsForked(Path("main.1")));
  EXPECT_FALSE(family.IsForked(Path("main.3")));
}

TEST_F(FamilyTest, ATraceThatNamesNoRunIsAlone) {
  TraceBuilder("family/lone.trace", "cpython-3.8").Finish();
  TraceBuilder("family/lone2.trace", "cpython-3.8").Finish();
  EXPECT_EQ(Family(Path("lone")).members().size(), 1u);
}

TEST_F(FamilyTest, EachReportIsTheOneOfTheTraceAlone) {
  Child("main.1", "main.trace 0", kBase + 64);
  Child("main.2", "main.trace 1", kBase + 80);
  Child("main.21", "main.2.trace 0", kBase + 96);
  Trace("main.3").Acquire(kBase, kArena).Malloc(16, kBase + 48).Finish();
  const std::vector<nlohmann::json> reports = Reports();
  ASSERT_EQ(reports.size(), 5u);
  for (const nlohmann::json& report : reports) {
    EXPECT_EQ(report["status"], "equal") << report;
    EXPECT_EQ(report,
              nlohmann::json::parse(VerifyJson(Verify(report["trace"], {}))));
  }
  EXPECT_EQ(reports[3]["trace"], Path("main.21"));
  EXPECT_EQ(reports[3]["compared"], 5);
  EXPECT_EQ(reports[3]["inherited_compared"], 3);
}

TEST_F(FamilyTest, OneChildsMismatchIsItsOwn) {
  Child("main.1", "main.trace 0", kBase + 96);
  Child("main.2", "main.trace 1", kBase + 80);
  const std::vector<nlohmann::json> reports = Reports();
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[0]["status"], "equal");
  EXPECT_EQ(reports[1]["status"], "mismatch");
  EXPECT_EQ(reports[2]["status"], "equal");
}

TEST_F(FamilyTest, NoMemberIsLeftOut) {
  Child("main.1", "main.trace 7", kBase + 64);  // no such fork
  Child("main.2", "gone.trace 0", kBase + 64);
  const std::vector<nlohmann::json> reports = Reports();
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[1]["status"], "cannot");
  EXPECT_NE(reports[1]["reason"].get<std::string>().find("before fork 7"),
            std::string::npos);
  EXPECT_EQ(reports[2]["status"], "cannot");
  EXPECT_NE(reports[2]["reason"].get<std::string>().find("is missing"),
            std::string::npos);
}

// What is missing from the parent's recording is missing from the child's heap.
TEST_F(FamilyTest, WhatAParentLostExcusesAChildsMismatch) {
  Trace("lossy").Acquire(kBase, kArena).Malloc(16, kBase + 64).Fork(0);
  main_->Finish(1);
  Child("lossy.1", "lossy.trace 0", kBase + 80);
  const VerifyReport report = Verify(Path("lossy.1"), {});
  EXPECT_EQ(report.status, VerifyStatus::kCannot);
  EXPECT_NE(report.reason.find("1 events were dropped"), std::string::npos)
      << report.reason;
}

}  // namespace
}  // namespace arenalab
