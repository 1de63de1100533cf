// The generations of CPython's allocator by name, one struct each, and the way
// from a release's name to the heap that behaves like it.
//
// A generation is named after the first release that has it; `classic` is the
// longest-lived one. Releases of one generation give the same addresses for the
// same requests; 3.7.4 and 3.8 differ in time only.
//
//   name                    releases
//   cpython-2.3             2.3.x, 2.4.0, 2.4.1
//   cpython-2.4.2           2.4.2 - 2.4.6
//   cpython-2.5             2.5.0 - 2.7.6, 3.0 - 3.2.x
//   classic                 2.7.7 - 2.7.16, 3.3.0 - 3.6.x, 3.7.0 - 3.7.3
//   cpython-3.7.4           2.7.17, 2.7.18, 3.7.4 and later 3.7
//   cpython-3.8             3.8.x
//   cpython-3.9             3.9.x
//   cpython-3.10            3.10.x
//   cpython-3.11            3.11 - 3.14, 3.15 as it is built by default
//   cpython-3.15-hugepages  3.15 built --with-pymalloc-hugepages
//
// pyenv patches 3.5.10 and 3.6.15: what it builds under these names behaves as
// cpython-3.7.4. A name cannot tell; the interpreter's own statistics can.
//
// SOURCE: the constants and rules of Objects/obmalloc.c at each release's tag.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "allocators/pymalloc/geometry.h"
#include "allocators/pymalloc/heap.h"
#include "allocators/pymalloc/policy.h"

namespace arenalab {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

struct Cpython23 {
  static constexpr std::string_view kName = "cpython-2.3";
  static constexpr GeometryValues kGeometry =
      MakeGeometry(256 * kKiB, 4 * kKiB, 8, 256);
  static constexpr PolicyValues kPolicy = {.empty_pools = EmptyPools::kOneList,
                                           .realloc_takes_over = true};
};

struct Cpython242 {
  static constexpr std::string_view kName = "cpython-2.4.2";
  static constexpr GeometryValues kGeometry = Cpython23::kGeometry;
  static constexpr PolicyValues kPolicy = {.empty_pools = EmptyPools::kOneList};
};

struct Cpython25 {
  static constexpr std::string_view kName = "cpython-2.5";
  static constexpr GeometryValues kGeometry = Cpython23::kGeometry;
  static constexpr PolicyValues kPolicy = {};
};

struct Classic {
  static constexpr std::string_view kName = "classic";
  static constexpr GeometryValues kGeometry =
      MakeGeometry(256 * kKiB, 4 * kKiB, 8, 512);
  static constexpr PolicyValues kPolicy = {};
};

struct Cpython374 {
  static constexpr std::string_view kName = "cpython-3.7.4";
  static constexpr GeometryValues kGeometry =
      MakeGeometry(256 * kKiB, 4 * kKiB, 16, 512);
  static constexpr PolicyValues kPolicy = {};
};

struct Cpython38 {
  static constexpr std::string_view kName = "cpython-3.8";
  static constexpr GeometryValues kGeometry = Cpython374::kGeometry;
  static constexpr PolicyValues kPolicy = {.arena_sort = ArenaSort::kFingers};
};

struct Cpython39 {
  static constexpr std::string_view kName = "cpython-3.9";
  static constexpr GeometryValues kGeometry = Cpython374::kGeometry;
  static constexpr PolicyValues kPolicy = {.keep_arenas = 1,
                                           .arena_sort = ArenaSort::kFingers};
};

struct Cpython310 {
  static constexpr std::string_view kName = "cpython-3.10";
  static constexpr GeometryValues kGeometry =
      MakeGeometry(1 * kMiB, 16 * kKiB, 16, 512);
  static constexpr PolicyValues kPolicy = {
      .keep_arenas = 1,
      .arena_sort = ArenaSort::kFingers,
      .address_test = AddressTest::kRadixTree,
      .address_bits = 48};
};

struct Cpython311 {
  static constexpr std::string_view kName = "cpython-3.11";
  static constexpr GeometryValues kGeometry = Cpython310::kGeometry;
  static constexpr PolicyValues kPolicy = {
      .keep_arenas = 1,
      .arena_sort = ArenaSort::kFingers,
      .address_test = AddressTest::kRadixTree};
};

struct Cpython315HugePages {
  static constexpr std::string_view kName = "cpython-3.15-hugepages";
  static constexpr GeometryValues kGeometry =
      MakeGeometry(2 * kMiB, 16 * kKiB, 16, 512);
  static constexpr PolicyValues kPolicy = Cpython311::kPolicy;
};

// Calls `visitor.template operator()<G>()` for each generation, oldest first.
template <class Visitor>
constexpr void ForEachGeneration(Visitor&& visitor) {
  visitor.template operator()<Cpython23>();
  visitor.template operator()<Cpython242>();
  visitor.template operator()<Cpython25>();
  visitor.template operator()<Classic>();
  visitor.template operator()<Cpython374>();
  visitor.template operator()<Cpython38>();
  visitor.template operator()<Cpython39>();
  visitor.template operator()<Cpython310>();
  visitor.template operator()<Cpython311>();
  visitor.template operator()<Cpython315HugePages>();
}

inline constexpr std::size_t kGenerations = 10;

// The names above, oldest first.
inline constexpr std::array<std::string_view, kGenerations> kGenerationNames =
    [] {
      std::array<std::string_view, kGenerations> names;
      std::size_t n = 0;
      ForEachGeneration([&]<class G>() { names[n++] = G::kName; });
      return names;
    }();

// The generation that a name means: one of kGenerationNames, or a release as
// `cpython-X.Y[.Z]`, 2.3 to 3.15. Without a point release its newest is meant:
// `cpython-3.7` is 3.7.17, `cpython-2.7` is 2.7.18, `cpython-2.4` is 2.4.6
// (only in these three does the point release decide). nullopt for anything
// else: 2.2 and older have another allocator, 3.16 does not exist yet.
std::optional<std::string_view> ResolveGeometry(std::string_view name);

// Calls `visitor.template operator()<Heap<G>>()` for the generation that `name`
// resolves to; false, and no call, if it resolves to none.
template <class Visitor>
bool VisitGeneration(std::string_view name, Visitor&& visitor) {
  const std::optional<std::string_view> canonical = ResolveGeometry(name);
  if (!canonical) return false;
  ForEachGeneration([&]<class G>() {
    if (G::kName == *canonical) visitor.template operator()<Heap<G>>();
  });
  return true;
}

// The sizes of the generation that `name` resolves to.
std::optional<GeometryValues> GeometryOf(std::string_view name);

}  // namespace arenalab
