// The contract every allocator in this toolkit satisfies.
//
// To add an allocator: write a class that models `Allocator`, put
// `static_assert(Allocator<YourHeap>);` under it, and add one
// `allocator_worker(...)` to allocators/BUILD, the list that names them all.
// Each gets a worker program of its own: two mallocs cannot share one.
//
// WHY A CONCEPT. A C library has no base class to inherit from; a missing or
// throwing member fails at the adapter's own line; and the replay loop is
// instantiated once per allocator, so that every event is a direct call.
//
// THE EQUAL-CALL RULE. Every event costs exactly one direct call. Our own heaps
// define these members in a .cc file, adapters forward to their library inline,
// and no target under allocators/ is built with LTO. If pymalloc were inlined
// into the loop and mimalloc were not, we would measure the linker.
//
// One object is one heap. Each replay is a process of its own, so an adapter
// may wrap a library whose heap is process-wide, and RSS starts clean.
//
//   Allocate*(0 bytes)      a unique non-null block, as CPython expects
//   AllocateZeroed(n, m)    n * m zeroed bytes; nullptr when that overflows
//   AllocateAligned(a, n)   a is a power of two; block % a == 0
//   Reallocate(p, n)        nullptr means failure, and then p is still live;
//                           Reallocate(nullptr, n) is Allocate(n)
//   Free(nullptr)           does nothing
//   UsableSize(p)           bytes the caller may touch; >= the size asked for
//   Snapshot()              totals for the report; slow, never timed, and it
//                           allocates nothing
//
// Errors: nullptr. Nothing throws.
//
// OPTIONAL, all static, used by the replay worker where a heap has them:
//   const char* Version()            what the library says of itself
//   const void* Code()               an address in the file that has its code
//   const char* CheckSettings(text)  nullptr, or what is wrong with `text`
//   bool kHoldsContents = false      blocks share bytes by design (null)
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include "allocators/heap_options.h"
#include "allocators/heap_snapshot.h"

namespace arenalab {

// From how many threads one heap may be called.
enum class Threads {
  kOne,         // one at a time, and the caller sees to it
  kNative,      // any, the library sees to it
  kBehindLock,  // any, through a lock that the adapter adds
};

// How many heaps of the kind one process can have.
enum class Heaps { kMany, kOnePerProcess };

// clang-format off
// (clang-format 14 breaks `noexcept ->` over two lines.)
template <typename A>
concept Allocator =
    std::constructible_from<A, const HeapOptions&> && !std::copyable<A> &&
    requires(A heap, const A& frozen, void* p, std::size_t n) {
      { A::kThreads } -> std::convertible_to<Threads>;
      { A::kHeaps } -> std::convertible_to<Heaps>;
      { A::kName } -> std::convertible_to<std::string_view>;
      { heap.Allocate(n) } noexcept -> std::same_as<void*>;
      { heap.AllocateZeroed(n, n) } noexcept -> std::same_as<void*>;
      { heap.AllocateAligned(n, n) } noexcept -> std::same_as<void*>;
      { heap.Reallocate(p, n) } noexcept -> std::same_as<void*>;
      { heap.Free(p) } noexcept -> std::same_as<void>;
      { frozen.UsableSize(p) } noexcept -> std::same_as<std::size_t>;
      { frozen.Snapshot() } noexcept -> std::same_as<HeapSnapshot>;
    };
// clang-format on

}  // namespace arenalab
