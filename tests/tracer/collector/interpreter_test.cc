// What an interpreter says of itself, and which generation it is. The
// statistics are the first lines of real dumps.
#include "tracer/collector/interpreter.h"

#include <gtest/gtest.h>

namespace arenalab {
namespace {

constexpr char k32Classes[] =
    "Small block threshold = 512, in 32 size classes.\n\nclass   size\n";
constexpr char k64Classes[] =
    "Small block threshold = 512, in 64 size classes.\n\nclass   size\n";

TEST(InterpreterTest, TheReleaseIsTheFirstWord) {
  EXPECT_EQ(PythonRelease("3.11.2 (main, Mar 13 2023) [GCC 12.2.0]"), "3.11.2");
  EXPECT_EQ(PythonRelease("3.14.0rc1+ (heads/x)"), "3.14.0rc1+");
  EXPECT_EQ(PythonRelease(""), "");
}

TEST(InterpreterTest, TheGenerationIsThatOfTheRelease) {
  EXPECT_EQ(PymallocGeneration("3.11.2 (main)", k32Classes), "cpython-3.11.2");
  EXPECT_EQ(PymallocGeneration("3.11.2 (main)", ""), "cpython-3.11.2");
  EXPECT_EQ(PymallocGeneration("3.6.9 (default)", k64Classes), "cpython-3.6.9");
  EXPECT_EQ(PymallocGeneration("3.7.3 (default)", k64Classes), "cpython-3.7.3");
  EXPECT_EQ(PymallocGeneration("3.7.4 (default)", k32Classes), "cpython-3.7.4");
}

TEST(InterpreterTest, StatisticsThatContradictTheReleaseDecide) {
  // What pyenv builds as 3.6.15.
  EXPECT_EQ(PymallocGeneration("3.6.15 (default)", k32Classes),
            "cpython-3.7.4");
  EXPECT_EQ(PymallocGeneration("3.8.1 (patched)", k64Classes), "classic");
}

TEST(InterpreterTest, TheAlignmentIsThatOfTheClasses) {
  EXPECT_EQ(PymallocAlignment("3.6.15 (default)", k32Classes), 16);
  EXPECT_EQ(PymallocAlignment("3.8.1 (patched)", k64Classes), 8);
  EXPECT_EQ(PymallocAlignment("3.7.3 (default)", ""), 8);
  EXPECT_EQ(PymallocAlignment("3.7.4 (default)", ""), 16);
  EXPECT_EQ(PymallocAlignment("3.8.1", "in 0 size classes"), 16);
}

TEST(InterpreterTest, OddStatisticsDecideNothing) {
  EXPECT_EQ(PymallocGeneration("3.8.1", "Small block threshold = x"),
            "cpython-3.8.1");
  EXPECT_EQ(PymallocGeneration("3.8.1", "5 free PyDictObjects\n"),
            "cpython-3.8.1");
}

TEST(InterpreterTest, WhatLiesBeneath) {
  EXPECT_EQ(AllocatorBeneath("pymalloc", true), "pymalloc");
  EXPECT_EQ(AllocatorBeneath("pymalloc_debug", true), "debug");
  EXPECT_EQ(AllocatorBeneath("malloc_debug", false), "debug");
  EXPECT_EQ(AllocatorBeneath("mimalloc", false), "mimalloc");
  EXPECT_EQ(AllocatorBeneath("", true), "pymalloc");
  EXPECT_EQ(AllocatorBeneath("", false), "malloc");
}

}  // namespace
}  // namespace arenalab
