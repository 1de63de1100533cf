// Statistics at a point, by hand on an arena of two blocks. That they are the
// interpreter's own is //tests/tracer/preload:statistics_test's.
#include "tools/verify/clone_statistics.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tracer/format/input_error.h"
#include "tracer/format/text.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {
namespace {

std::string Written(const std::string& text) {
  const std::string path = testing::TempDir() + "/statistics.trace";
  TraceWriter writer(path, /*exclusive=*/false);
  std::istringstream in(text);
  ImportText(in, "test", writer);
  return path;
}

// An arena at `base` (a multiple of 16 KiB and of 4 KiB more), in which 40
// bytes are asked for twice and given back once.
std::string TraceAt(std::uint64_t base, const std::string& generation) {
  const auto hex = [](std::uint64_t address) {
    std::ostringstream out;
    out << "0x" << std::hex << address;
    return out.str();
  };
  const std::uint64_t pool = (base + 16383) / 16384 * 16384;
  return Written("meta allocator pymalloc\nmeta geometry " + generation +
                 "\nmalloc 7 600 domain=raw addr=0x1000\n"
                 "arena+ " +
                 hex(base) + " 1048576\nmalloc 1 40 addr=" + hex(pool + 48) +
                 "\nmalloc 2 40 addr=" + hex(pool + 96) +
                 "\nmark half\nfree 1\n");
}

std::string TextAt(const std::string& path, const std::string& at) {
  return StatisticsAt(path, ParseTracePoint(at)).text;
}

bool Has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

TEST(CloneStatistics, BehindEachRequestMarkAndTheEnd) {
  const std::string path = TraceAt(0x7f0000003000, "cpython-3.11.2");
  const std::string one =
      "    2     48           1               1           339";
  const std::string two =
      "    2     48           1               2           338";
  EXPECT_TRUE(Has(TextAt(path, "1"), one));
  EXPECT_TRUE(Has(TextAt(path, "state:0"), one)) << "raw is not counted";
  EXPECT_TRUE(Has(TextAt(path, "2"), two));
  EXPECT_TRUE(Has(TextAt(path, "state:1"), two));
  EXPECT_TRUE(Has(TextAt(path, "half"), two));
  EXPECT_TRUE(Has(TextAt(path, "3"), one));
  EXPECT_TRUE(Has(TextAt(path, ""), one));
  EXPECT_TRUE(Has(TextAt(path, ""),
                  "# bytes lost to arena alignment    =               16,384"));
}

// Nodes depend on address bits above the arena's size. An arena that is not
// aligned has an entry in the next piece, too: here beyond its bottom node (14
// bits of 1 MiB in 3.11, 8 in 3.10), there beyond its mid node (10 more).
TEST(CloneStatistics, RadixNodesAreThoseOfTheRecordedBases) {
  struct Case {
    const char* generation;
    std::uint64_t base;
    char mid, bottom;
  };
  for (const Case& c : {Case{"cpython-3.11", 0x7f0000003000, '1', '1'},
                        Case{"cpython-3.11", 0x7f03fff03000, '1', '2'},
                        Case{"cpython-3.11", 0x7f03fff00000, '1', '1'},
                        Case{"cpython-3.10", 0x7f000ff03000, '1', '2'},
                        Case{"cpython-3.10", 0x7efffff03000, '2', '2'},
                        Case{"cpython-3.10", 0x7efffff00000, '1', '1'}}) {
    const std::string text = TextAt(TraceAt(c.base, c.generation), "");
    const std::string blank(20, ' ');
    EXPECT_TRUE(
        Has(text, "# arena map mid nodes              =" + blank + c.mid))
        << std::hex << c.base << text;
    EXPECT_TRUE(
        Has(text, "# arena map bot nodes              =" + blank + c.bottom))
        << std::hex << c.base << text;
  }
}

TEST(CloneStatistics, AReplayThatDiffersSaysSo) {
  const std::string path = TraceAt(0x7f0000003000, "cpython-3.11");
  EXPECT_EQ(StatisticsAt(path, {}).mismatches, 0u);
  const std::string wrong = Written(
      "meta allocator pymalloc\nmeta geometry cpython-3.11\n"
      "arena+ 0x7f0000000000 1048576\nmalloc 1 40 addr=0x7f0000000060\n");
  EXPECT_EQ(StatisticsAt(wrong, {}).mismatches, 1u);
}

TEST(CloneStatistics, WhatCannotBeReplayedIsBadInput) {
  const std::string path = TraceAt(0x7f0000003000, "cpython-3.11");
  for (const char* at : {"4", "state:3", "other", "state:", "state:1x"})
    EXPECT_THROW(TextAt(path, at), InputError) << at;
  EXPECT_THROW(TextAt(path, "0"), InputError) << "pymalloc was not asked yet";
  EXPECT_THROW(TextAt(Written("meta geometry cpython-3.11\nmalloc 1 40\n"), ""),
               InputError);
  EXPECT_THROW(TextAt(Written("meta allocator malloc\n"
                              "malloc 1 40 addr=0x5000\n"),
                      ""),
               InputError);
  EXPECT_THROW(TextAt(Written("malloc 1 40 addr=0x5000\n"), ""), InputError);
}

TEST(ParseTracePoint, EachForm) {
  EXPECT_EQ(ParseTracePoint("").kind, TracePoint::Kind::kEnd);
  EXPECT_EQ(ParseTracePoint("12").kind, TracePoint::Kind::kRequest);
  EXPECT_EQ(ParseTracePoint("12").number, 12u);
  EXPECT_EQ(ParseTracePoint("state:12").kind, TracePoint::Kind::kStateRequest);
  EXPECT_EQ(ParseTracePoint("state:12").number, 12u);
  EXPECT_EQ(ParseTracePoint("finalise").mark, "finalise");
  EXPECT_EQ(ParseTracePoint("12a").kind, TracePoint::Kind::kMark);
}

}  // namespace
}  // namespace arenalab
