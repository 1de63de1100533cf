// How a worker finds its heap type when its allocator has only one. An
// allocator of many types (pymalloc: one a generation) names a function of its
// own with this signature in its allocator_worker() call.
#pragma once

#include <string_view>
#include <utility>

#include "allocators/allocator.h"

namespace arenalab {

// Calls visitor.template operator()<Heap>(). False, and no call, if there are
// settings and the heap has no CheckSettings() to understand them.
template <Allocator Heap, typename Visitor>
bool VisitOneHeap(std::string_view settings, Visitor&& visitor) {
  if constexpr (!requires { Heap::CheckSettings(settings); }) {
    if (!settings.empty()) return false;
  }
  std::forward<Visitor>(visitor).template operator()<Heap>();
  return true;
}

}  // namespace arenalab
