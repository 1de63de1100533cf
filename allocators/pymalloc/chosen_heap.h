// Picks the heap type that `pymalloc{geometry:NAME}` means.
//
// The settings are one key, `geometry`, with a name of generation.h; without it
// the newest generation is meant. Requests over the geometry's limit go to
// HeapOptions::raw_source.
#pragma once

#include <string_view>
#include <utility>

#include "allocators/pymalloc/generation.h"
#include "allocators/settings.h"

namespace arenalab {

// Calls visitor.template operator()<Heap<G>>(). False, and no call, for a name
// that is no geometry and for any other key.
template <typename Visitor>
bool VisitChosenHeap(std::string_view settings, Visitor&& visitor) {
  std::string_view geometry = Cpython311::kName;
  const bool understood = VisitSettings(
      settings, [&](std::string_view key, std::string_view value) {
        geometry = value;
        return key == "geometry";
      });
  return understood &&
         VisitGeneration(geometry, std::forward<Visitor>(visitor));
}

}  // namespace arenalab
