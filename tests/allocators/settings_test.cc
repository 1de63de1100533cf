// `key:value,key:value` as every allocator reads it.
#include "allocators/settings.h"

#include <gtest/gtest.h>

#include <string>

namespace arenalab {
namespace {

std::string Read(std::string_view settings) {
  std::string all;
  VisitSettings(settings, [&](std::string_view key, std::string_view value) {
    all += "[" + std::string(key) + "=" + std::string(value) + "]";
    return true;
  });
  return all;
}

TEST(Settings, AreReadInOrder) { EXPECT_EQ(Read("a:1,b:two"), "[a=1][b=two]"); }
TEST(Settings, NoneAreNone) { EXPECT_EQ(Read(""), ""); }
TEST(Settings, AValueMayHoldColons) { EXPECT_EQ(Read("a:1:2"), "[a=1:2]"); }
TEST(Settings, WithoutColonTheValueIsEmpty) {
  EXPECT_EQ(Read("a,b:"), "[a=][b=]");
}
TEST(Settings, AnEmptyEntryIsSeen) {
  EXPECT_EQ(Read("a:1,,b:2"), "[a=1][=][b=2]");
}

TEST(Settings, AVisitorThatSaysNoStopsTheReading) {
  int calls = 0;
  EXPECT_FALSE(
      VisitSettings("a:1,b:2,c:3", [&](std::string_view key, std::string_view) {
        ++calls;
        return key != "b";
      }));
  EXPECT_EQ(calls, 2);
}

TEST(NumberIn, TakesWholeDecimalNumbersOnly) {
  EXPECT_EQ(NumberIn("0"), 0);
  EXPECT_EQ(NumberIn("-1"), -1);
  EXPECT_EQ(NumberIn("4611686018427387"), 4611686018427387);
  for (const char* wrong :
       {"", "-", "1 ", "+1", "0x10", "1k", "--1", "99999999999999999999"}) {
    EXPECT_FALSE(NumberIn(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace arenalab
