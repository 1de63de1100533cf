// A heap's statistics as the text of `sys._debugmallocstats()`: what a reader
// of CPython's own output can lay beside it, line by line. Without the free
// lists of types, which the interpreter appends and pymalloc knows nothing of.
//
// SOURCE of the layout: the output of interpreters 3.6 to 3.13, and
// _PyObject_DebugMallocStats of older releases, which print no arena counters
// (2.3, 2.4) or no arena map (before 3.10).
#pragma once

#include <cstddef>
#include <string>

#include "allocators/pymalloc/geometry.h"
#include "allocators/pymalloc/policy.h"
#include "allocators/pymalloc/statistics.h"

namespace arenalab {

// In pieces, to `write(to, text, bytes)`; allocates nothing.
void WriteDebugMallocStats(
    const Statistics& statistics, const GeometryValues& geometry,
    const PolicyValues& policy,
    void (*write)(void* to, const char* text, std::size_t bytes), void* to);

// Here and not in the library, which needs no libstdc++.
inline std::string FormatDebugMallocStats(const Statistics& statistics,
                                          const GeometryValues& geometry,
                                          const PolicyValues& policy) {
  std::string text;
  WriteDebugMallocStats(
      statistics, geometry, policy,
      [](void* to, const char* piece, std::size_t bytes) {
        static_cast<std::string*>(to)->append(piece, bytes);
      },
      &text);
  return text;
}

}  // namespace arenalab
