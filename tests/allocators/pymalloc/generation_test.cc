// Names: every release means the generation whose allocator it had.
#include "allocators/pymalloc/generation.h"

#include <gtest/gtest.h>

#include <string>

namespace arenalab {
namespace {

struct Named {
  const char* name;
  const char* generation;
};

TEST(ResolveGeometry, EveryBoundaryBetweenReleases) {
  constexpr Named kNames[] = {
      {"classic", "classic"},
      {"cpython-2.3", "cpython-2.3"},
      {"cpython-2.3.7", "cpython-2.3"},
      {"cpython-2.4.0", "cpython-2.3"},
      {"cpython-2.4.1", "cpython-2.3"},
      {"cpython-2.4.2", "cpython-2.4.2"},
      {"cpython-2.4.6", "cpython-2.4.2"},
      {"cpython-2.4", "cpython-2.4.2"},
      {"cpython-2.5", "cpython-2.5"},
      {"cpython-2.6.9", "cpython-2.5"},
      {"cpython-2.7.0", "cpython-2.5"},
      {"cpython-2.7.6", "cpython-2.5"},
      {"cpython-2.7.7", "classic"},
      {"cpython-2.7.16", "classic"},
      {"cpython-2.7.17", "cpython-3.7.4"},
      {"cpython-2.7.18", "cpython-3.7.4"},
      {"cpython-2.7", "cpython-3.7.4"},
      {"cpython-3.0", "cpython-2.5"},
      {"cpython-3.1.5", "cpython-2.5"},
      {"cpython-3.2", "cpython-2.5"},
      {"cpython-3.2.6", "cpython-2.5"},
      {"cpython-3.3", "classic"},
      {"cpython-3.3.0", "classic"},
      {"cpython-3.4", "classic"},
      {"cpython-3.5.10", "classic"},
      {"cpython-3.6", "classic"},
      {"cpython-3.6.15", "classic"},
      {"cpython-3.7.0", "classic"},
      {"cpython-3.7.3", "classic"},
      {"cpython-3.7.4", "cpython-3.7.4"},
      {"cpython-3.7.17", "cpython-3.7.4"},
      {"cpython-3.7", "cpython-3.7.4"},
      {"cpython-3.8", "cpython-3.8"},
      {"cpython-3.8.0", "cpython-3.8"},
      {"cpython-3.9", "cpython-3.9"},
      {"cpython-3.9.18", "cpython-3.9"},
      {"cpython-3.10", "cpython-3.10"},
      {"cpython-3.10.13", "cpython-3.10"},
      {"cpython-3.11", "cpython-3.11"},
      {"cpython-3.12.1", "cpython-3.11"},
      {"cpython-3.13.0", "cpython-3.11"},
      {"cpython-3.14", "cpython-3.11"},
      {"cpython-3.15", "cpython-3.11"},
      {"cpython-3.15-hugepages", "cpython-3.15-hugepages"},
  };
  for (const Named& n : kNames)
    EXPECT_EQ(ResolveGeometry(n.name), n.generation) << n.name;
}

TEST(ResolveGeometry, EveryCanonicalNameMeansItself) {
  for (std::string_view name : kGenerationNames)
    EXPECT_EQ(ResolveGeometry(name), name);
}

TEST(ResolveGeometry, WhatIsNoReleaseHasNoGeneration) {
  for (const char* name : {"",
                           "cpython",
                           "cpython-",
                           "cpython-2",
                           "cpython-2.2",
                           "cpython-2.2.3",
                           "cpython-1.5",
                           "cpython-2.8",
                           "cpython-3.16",
                           "cpython-4.0",
                           "cpython-0.0",
                           "cpython-3.11.",
                           "cpython-3..1",
                           "cpython-3.11.2.1",
                           "cpython-3.011",
                           "cpython-3.+9",
                           "cpython--3.9",
                           "cpython-3.9 ",
                           " cpython-3.9",
                           "Cpython-3.9",
                           "CLASSIC",
                           "classic ",
                           "3.9",
                           "pypy-3.9",
                           "cpython-3.9rc1",
                           "cpython-99999999999999999999.1",
                           "cpython-3.99999999999",
                           "cpython-3.14-hugepages",
                           "cpython-3.15-hugepage"})
    EXPECT_EQ(ResolveGeometry(name), std::nullopt) << name;
}

TEST(VisitGeneration, CallsTheHeapOfTheGenerationOnce) {
  int calls = 0;
  std::string_view name;
  EXPECT_TRUE(VisitGeneration("cpython-3.12.1", [&]<class H>() {
    ++calls;
    name = H::kName;
  }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(name, "cpython-3.11");
}

TEST(VisitGeneration, CallsNothingForAnUnknownName) {
  int calls = 0;
  EXPECT_FALSE(VisitGeneration("cpython-1.6", [&]<class H>() { ++calls; }));
  EXPECT_EQ(calls, 0);
}

TEST(GeometryOf, IsTheTableOfSizes) {
  struct Row {
    const char* name;
    std::size_t alignment, max_small, classes, arena_kib, pool_kib;
  };
  constexpr Row kRows[] = {{"cpython-2.3", 8, 256, 32, 256, 4},
                           {"cpython-2.4.2", 8, 256, 32, 256, 4},
                           {"cpython-2.5", 8, 256, 32, 256, 4},
                           {"classic", 8, 512, 64, 256, 4},
                           {"cpython-3.7.4", 16, 512, 32, 256, 4},
                           {"cpython-3.8", 16, 512, 32, 256, 4},
                           {"cpython-3.9", 16, 512, 32, 256, 4},
                           {"cpython-3.10", 16, 512, 32, 1024, 16},
                           {"cpython-3.11", 16, 512, 32, 1024, 16},
                           {"cpython-3.15-hugepages", 16, 512, 32, 2048, 16}};
  for (const Row& row : kRows) {
    const std::optional<GeometryValues> g = GeometryOf(row.name);
    ASSERT_TRUE(g) << row.name;
    EXPECT_EQ(g->alignment, row.alignment) << row.name;
    EXPECT_EQ(g->max_small_bytes, row.max_small) << row.name;
    EXPECT_EQ(g->classes, row.classes) << row.name;
    EXPECT_EQ(g->arena_bytes, row.arena_kib * 1024) << row.name;
    EXPECT_EQ(g->pool_bytes, row.pool_kib * 1024) << row.name;
  }
  EXPECT_EQ(GeometryOf("none"), std::nullopt);
}

}  // namespace
}  // namespace arenalab
