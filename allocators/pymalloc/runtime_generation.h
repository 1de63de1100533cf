// A generation whose sizes and rules are read at run time: for sweeps, and for
// `key:value` experiments without a compiler. The heap is the same template, so
// the behaviour is; only speed is not promised (a division where constants
// shift).
//
// Settings, `key:value` with commas between; each key at most once:
//
//   geometry            a name of generation.h: the values to start from
//                       (default cpython-3.11)
//   arena_bytes         power of two, 16 KiB to 1 GiB, 4 to 1024 pools
//   pool_bytes          power of two, 1 KiB to 256 KiB
//   alignment           8, 16, 32 or 64: of blocks, and between classes
//   max_small_bytes     a multiple of the alignment, at most 128 classes; two
//                       blocks of it must fit into a pool
//   keep_arenas         wholly free arenas kept: a number
//   arena_choice        fullest | address | recent | emptiest (arena_order.h)
//   pool_choice         recent | address | fullest (pool_order.h)
//   free_list           lifo | address (pool_order.h)
//   madvise_free_pools  0 | 1: give the pages of empty pools back, all but the
//                       header's; needs pools of more than a 4 KiB page
//   address_test        index | radix: the index needs pools of at most 4 KiB
//                       (default: as the geometry, radix if it must be)
//
//   decay_bytes         a kept arena is released after so many bytes of blocks;
//                       needs keep_arenas of 1 to 64
//   lanes               none | lifetime | domain | thread | state | type |
//   site:
//                       pools apart by what is known of a request (lane.h)
//
// keep_arenas, arena_choice and decay_bytes need arenas that are released: not
// with the geometries of 2.3 and 2.4.
#pragma once

#include <cstddef>
#include <string_view>

#include "allocators/pymalloc/generation.h"

namespace arenalab {

struct HeapSettings {
  GeometryValues geometry;
  PolicyValues policy;
};

// Fills `result` from `settings`. Returns nullptr, or what is wrong in words
// that name the key; then `result` is not to be used.
const char* ReadHeapSettings(std::string_view settings, HeapSettings* result);

struct RuntimeGeneration {
  static constexpr std::string_view kName = "pymalloc";
};

template <>
struct GenerationValues<RuntimeGeneration> {
  static constexpr std::size_t kMaxPools = 1024;
  static constexpr std::size_t kMaxClasses = arenalab::kMaxClasses;
  static constexpr std::uint32_t kMaxLanes = arenalab::kMaxLanes;

  static const char* CheckSettings(std::string_view settings) {
    HeapSettings unused;
    return ReadHeapSettings(settings, &unused);
  }

  // Settings that CheckSettings() refuses make a heap of the default geometry.
  explicit GenerationValues(std::string_view settings);
  const GeometryValues& geometry() const { return settings_.geometry; }
  const PolicyValues& policy() const { return settings_.policy; }
  const RadixShape& radix_shape() const { return radix_shape_; }

 private:
  HeapSettings settings_;
  RadixShape radix_shape_;
};

// Calls visitor.template operator()<Heap<G>>() with the fastest heap that these
// settings mean: a named generation if they hold a known geometry alone or
// nothing, else RuntimeGeneration, whose CheckSettings() says what is wrong.
// Always true: there is a heap to ask for any settings.
template <class Visitor>
bool VisitHeapOfSettings(std::string_view settings, Visitor&& visitor) {
  constexpr std::string_view kGeometryKey = "geometry:";
  if (settings.empty()) {
    visitor.template operator()<Heap<Cpython311>>();
  } else if (!settings.starts_with(kGeometryKey) ||
             !VisitGeneration(settings.substr(kGeometryKey.size()), visitor)) {
    visitor.template operator()<Heap<RuntimeGeneration>>();
  }
  return true;
}

}  // namespace arenalab
