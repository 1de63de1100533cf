// Gives every live object of a trace a dense number, from its address.
//
// Numbers are reused, last freed first, so the largest is the peak number of
// live objects: an index into a caller's array. Spaces (event.h, IDENTITY) do
// not collide: one object, one number, whatever its layer.
//
// REALLOC ACROSS THREADS. While a realloc is under way its old address may be
// handed out again, and the event of the new owner stands first in the file:
//
//   request      thread 1                    thread 2
//      7         realloc(A) begins
//      7                                     malloc -> A    displaces thread
//      1's 8                                     free A         thread 2's 9
//      realloc A -> B, lag 2                      thread 1's, explained
//
// So an allocation at a live address sets the owner aside (`displaced`). The
// realloc, when it comes, finds it there: the oldest that was displaced within
// the realloc's lag. Whether a displacement was legal is known only then; those
// that no realloc explains are double allocations.
//
// One thread. Memory: 32 bytes per number in use at the peak, about.
#pragma once

#include <cstdint>
#include <memory>

#include "tracer/event.h"

namespace arenalab {

inline constexpr std::uint32_t kNoObject = 0xffffffff;
inline constexpr std::uint64_t kNoRequest = ~std::uint64_t{0};

struct Identified {
  // kAlloc.., kRealloc: the object (a realloc keeps its number). kFree: the
  // object given up; kNoObject where no live object has that address.
  std::uint32_t object = kNoObject;
  // kRealloc of an address that no live object has (allocated before the trace
  // began): the object is new.
  bool unknown_old = false;
  // The address was live already. Its owner keeps its number until a realloc,
  // a free or nobody claims it.
  bool displaced = false;
  // kRealloc of an object that had been displaced within its lag: the request
  // that displaced it, which is thereby legal.
  std::uint64_t explains = kNoRequest;
};

class ObjectTable {
 public:
  ObjectTable();
  ~ObjectTable();
  ObjectTable(const ObjectTable&) = delete;
  ObjectTable& operator=(const ObjectTable&) = delete;

  // For requests, in the trace's order; a kHeld gives the object that is live
  // at its address, others give kNoObject.
  Identified Identify(const Event& event);
  // How many numbers were ever in use at once.
  std::uint32_t high_water() const;
  std::uint32_t live() const;
  // Displacements that no realloc has explained so far. At the end of the
  // trace each is a double allocation.
  std::uint64_t unexplained() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace arenalab
