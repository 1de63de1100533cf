// The oracle in both directions: a program is recorded under an interpreter,
// its requests are made again in that interpreter's own allocator, and every
// block lies where the clone says. Line by line, arenas included.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/allocators/native/native_run.h"
#include "tools/replay/replay.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

constexpr char kProgram[] = R"(
import json
kept = []
for round in range(4):
    table = [{str(j): ['x' * (j * 7 % 600) for _ in range(j % 9)]}
             for j in range(2500)]
    kept.append(json.loads(json.dumps(table))[::50])
    text = bytearray()
    for i in range(5000):
        text += b'abc'
)";

class NativeTraceTest : public testing::TestWithParam<std::string> {
 protected:
  std::string Placements(const std::string& allocator,
                         const std::string& name) {
    ReplayRequest request;
    request.trace = trace_;
    request.allocators = allocator;
    request.placements = folder_ / name;
    request.repetitions = 0;
    request.samples = 2;
    const auto results = Replay(request);
    std::ostringstream text;
    text << std::ifstream(request.placements).rdbuf();
    return text.str();
  }

  fs::path folder_ =
      fs::path(testing::TempDir()) / ("native_" + LabelOf(GetParam()));
  std::string trace_ = folder_ / "run.trace";
};

TEST_P(NativeTraceTest, PlacesEveryBlockWhereTheCloneDoes) {
  fs::remove_all(folder_);
  fs::create_directories(folder_);
  const std::string script = folder_ / "program.py";
  std::ofstream(script) << kProgram;
  ASSERT_EQ(Record(trace_, Quoted(GetParam()) + " " + Quoted(script)), 0);
  const std::string clone = Placements("pymalloc", "clone");
  const std::string native = Placements("native:" + GetParam(), "native");
  EXPECT_GT(std::ranges::count(clone, '\n'), 100000);
  EXPECT_NE(clone.find("arena- "), std::string::npos);
  // Not EXPECT_EQ: a difference would print megabytes.
  EXPECT_TRUE(clone == native)
      << "first difference at character "
      << std::ranges::mismatch(clone, native).in1 - clone.begin();
  // Another generation is told apart.
  EXPECT_FALSE(Placements("pymalloc{geometry:cpython-2.5}", "other") == native);
}

INSTANTIATE_TEST_SUITE_P(Machine, NativeTraceTest,
                         testing::ValuesIn(Interpreters()),
                         [](const auto& info) { return LabelOf(info.param); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NativeTraceTest);

// Of the InputError that the worker or the launcher gives; "" if none.
std::string RefusalOf(const std::string& spec) {
  try {
    ProbeAllocator(ParseAllocatorSpec(spec));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(NativeSpecTest, WhatIsNoPythonIsRefusedInOneLine) {
  EXPECT_NE(RefusalOf("native:/no/such/python").find("no such file"),
            std::string::npos);
  const std::string script = (fs::path(testing::TempDir()) / "shim").string();
  std::ofstream(script) << "#!/bin/sh\nexec python3\n";
  EXPECT_NE(RefusalOf("native:" + script).find("a script only starts"),
            std::string::npos);
  EXPECT_EQ(RefusalOf("native:/bin/ls"),
            "allocator 'native:/bin/ls': this is no CPython: it has no "
            "PyObject_Malloc to call");
  for (const char* settings :
       {"{x:1}", "{PYTHONMALLOC:debug}", "{PYTHONMALLOC"})
    EXPECT_NE(RefusalOf("native:/bin/ls" + std::string(settings)), "");
}

class NativeSettingsTest : public testing::TestWithParam<std::string> {};

TEST_P(NativeSettingsTest, OtherAllocatorsOfTheInterpreterServe) {
  const std::string native = "native:" + GetParam();
  EXPECT_EQ(RefusalOf(native + "{PYTHONMALLOC:malloc}"), "");
  EXPECT_EQ(RefusalOf(native + "{PYTHONMALLOC=malloc}"), "");
  const std::string version =
      ProbeAllocator(ParseAllocatorSpec(native)).version;
  const int minor = std::atoi(version.c_str() + 2);
  const std::string mimalloc = RefusalOf(native + "{PYTHONMALLOC:mimalloc}");
  if (minor >= 13) {
    EXPECT_EQ(mimalloc, "");
  } else {
    EXPECT_NE(mimalloc, "");  // and in the interpreter's own words
  }
}

INSTANTIATE_TEST_SUITE_P(Machine, NativeSettingsTest,
                         testing::ValuesIn(Interpreters()),
                         [](const auto& info) { return LabelOf(info.param); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NativeSettingsTest);

}  // namespace
}  // namespace arenalab
