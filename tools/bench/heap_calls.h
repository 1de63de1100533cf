// The allocator that is linked into a program, behind a table of functions: the
// workloads are compiled once and linked with each.
//
// A request costs every allocator, `null` too, one indirect call (about half a
// nanosecond; allocators/allocator.h). Replays of traces call directly.
//
// Threads: `threads` says from how many at a time. ERRORS. nullptr.
#pragma once

#include <cstddef>
#include <string_view>

#include "allocators/allocator.h"
#include "allocators/heap_options.h"

namespace arenalab {

struct HeapCalls {
  const char* version;  // "" where it tells none
  Threads threads;
  bool holds_contents;  // false: blocks share bytes (null)
  void* (*allocate)(void* heap, std::size_t bytes);
  void (*free)(void* heap, void* block);
  HeapSnapshot (*snapshot)(void* heap);
};

// A heap, made once and never taken apart.
struct LinkedHeap {
  const HeapCalls* calls = nullptr;
  void* heap = nullptr;
  const char* error = nullptr;  // what is wrong with the settings
};

// Defined by heap_program.cc, once per allocator. REQUIRES: called once.
LinkedHeap MakeLinkedHeap(std::string_view settings);

}  // namespace arenalab
