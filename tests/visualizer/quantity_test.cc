// The server side's numbers and escapes. palette_test.mjs has the same cases
// for the script's side: the two must read alike.
#include "visualizer/quantity.h"

#include <gtest/gtest.h>

namespace arenalab {
namespace {

TEST(QuantityTest, BytesHaveThreeSignificantDigits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "0.98 KiB");
  EXPECT_EQ(FormatBytes(1024), "1.00 KiB");
  EXPECT_EQ(FormatBytes(10240), "10.0 KiB");
  EXPECT_EQ(FormatBytes(102400), "100 KiB");
  EXPECT_EQ(FormatBytes(1048576), "1.00 MiB");
  EXPECT_EQ(FormatBytes(54135808), "51.6 MiB");
  EXPECT_EQ(FormatBytes(-2048), "−2.00 KiB");
  EXPECT_EQ(FormatBytes(5e15), "4547 TiB");
}

TEST(QuantityTest, CountsAreGroupedByThrees) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1\u202f000");
  EXPECT_EQ(FormatCount(8890096), "8\u202f890\u202f096");
  EXPECT_EQ(FormatCount(-1234), "−1\u202f234");
}

TEST(QuantityTest, UnknownIsNeverZero) {
  const nlohmann::json empty = nlohmann::json::object();
  EXPECT_EQ(BytesOf(At(empty, "x")), "n/a");
  EXPECT_EQ(BytesOf(nullptr), "n/a");
  EXPECT_EQ(CountOf("7"), "n/a");
  EXPECT_EQ(BytesOf(0), "0 B");
}

TEST(QuantityTest, AtOfWhatIsNoObjectIsNull) {
  EXPECT_TRUE(At(nullptr, "x").is_null());
  EXPECT_TRUE(At(nlohmann::json::array({1}), "x").is_null());
}

TEST(QuantityTest, EscapeLeavesNothingThatOpensATag) {
  EXPECT_EQ(Escape("<a href=\"x\">&</a>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
}

}  // namespace
}  // namespace arenalab
