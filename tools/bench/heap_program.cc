// The allocator of one benchmark program: the part that is compiled once per
// allocator, by allocators/allocator_worker.bzl, which defines
//   ARENALAB_HEAP_HEADER  the header of its heap
//   ARENALAB_VISIT_HEAP   what picks the heap type (allocators/one_heap.h)
#include <new>

#include "allocators/one_heap.h"
#include "tools/bench/heap_calls.h"
#include ARENALAB_HEAP_HEADER

namespace arenalab {
namespace {

template <typename Heap>
const char* VersionOf() {
  if constexpr (requires { Heap::Version(); }) return Heap::Version();
  return "";
}

template <typename Heap>
constexpr bool HoldsContents() {
  if constexpr (requires { Heap::kHoldsContents; }) {
    return Heap::kHoldsContents;
  }
  return true;
}

template <typename Heap>
LinkedHeap MakeLinked(std::string_view settings) {
  if constexpr (requires { Heap::CheckSettings(settings); }) {
    const char* error = Heap::CheckSettings(settings);
    if (error != nullptr) return {.error = error};
  }
  static const HeapCalls calls{
      .version = VersionOf<Heap>(),
      .threads = Heap::kThreads,
      .holds_contents = HoldsContents<Heap>(),
      .allocate = [](void* heap, std::size_t bytes) -> void* {
        return static_cast<Heap*>(heap)->Allocate(bytes);
      },
      .free = [](void* heap,
                 void* block) { static_cast<Heap*>(heap)->Free(block); },
      .snapshot = [](void* heap) -> HeapSnapshot {
        return static_cast<const Heap*>(heap)->Snapshot();
      }};
  HeapOptions options;
  options.settings = settings;
  alignas(Heap) static std::byte room[sizeof(Heap)];
  return {.calls = &calls, .heap = new (room) Heap(options)};
}

}  // namespace

LinkedHeap MakeLinkedHeap(std::string_view settings) {
  LinkedHeap made{.error = "it has no such settings"};
  ARENALAB_VISIT_HEAP(
      settings, [&]<typename Heap>() { made = MakeLinked<Heap>(settings); });
  return made;
}

}  // namespace arenalab
