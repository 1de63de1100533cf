// Budgets: what they allow, and what is refused.
#include "tools/compare/budget.h"

#include <gtest/gtest.h>

namespace arenalab {
namespace {

TEST(BudgetTest, NothingIsAllowedWithoutOne) {
  EXPECT_EQ(AllowedGrowth({}, "peak_held_bytes", 1e9), 0);
}

TEST(BudgetTest, IsPerCentOfTheBaseOrANumber) {
  Budgets budgets;
  EXPECT_EQ(AddBudget("peak_held_bytes=+1%", &budgets), "");
  EXPECT_EQ(AddBudget("end_held_bytes=64K", &budgets), "");
  EXPECT_EQ(AddBudget("drain_bytes=+2M", &budgets), "");
  EXPECT_EQ(AddBudget("arenas_created=3", &budgets), "");
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "peak_held_bytes", 5000), 50);
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "end_held_bytes", 5000), 65536);
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "drain_bytes", 5000), 2097152);
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "arenas_created", 5000), 3);
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "jw1", 5000), 0);
}

TEST(BudgetTest, OfANegativeBaseIsStillAnAllowance) {
  Budgets budgets;
  EXPECT_EQ(AddBudget("drain_bytes=1%", &budgets), "");
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "drain_bytes", -1000), 10);
}

TEST(BudgetTest, ForAllYieldsToOneByName) {
  Budgets budgets;
  EXPECT_EQ(AddBudget("all=10%", &budgets), "");
  EXPECT_EQ(AddBudget("jw1=0", &budgets), "");
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "jw2", 1), 0.1);
  EXPECT_DOUBLE_EQ(AllowedGrowth(budgets, "jw1", 1), 0);
}

TEST(BudgetTest, WhatIsNotUnderstoodIsNamed) {
  for (const char* wrong :
       {"peak_held_bytes", "=1%", "peak=1%", "jw1=", "jw1=x", "jw1=-1%",
        "jw1=1kB", "jw1=nan", "jw1=inf", "jw1=1%%"}) {
    Budgets budgets;
    EXPECT_NE(AddBudget(wrong, &budgets), "") << wrong;
    EXPECT_TRUE(budgets.empty()) << wrong;
  }
  Budgets budgets;
  const std::string said = AddBudget("peak=1%", &budgets);
  EXPECT_NE(said.find("peak_held_bytes"), std::string::npos) << said;
}

}  // namespace
}  // namespace arenalab
