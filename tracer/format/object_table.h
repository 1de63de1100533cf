// Gives every live object of a trace a dense number, from its address.
//
// Numbers are reused, last freed first, so the largest is the peak number of
// live objects: an index into a caller's array. Spaces (event.h, IDENTITY) do
// not collide: one object, one number, whatever its layer.
//
// REALLOC ACROSS THREADS. While a realloc is under way its old address may be
// handed out again, and the event of the new owner stands first in the file.
// The table then sets the old owner aside; the realloc, when it comes, finds it
// there. That is legal only within the realloc's lag; anything else that looks
// like a double allocation is reported as one.
#pragma once

#include <cstdint>
#include <memory>

#include "tracer/event.h"

namespace arenalab {

inline constexpr std::uint32_t kNoObject = 0xffffffff;

struct Identified {
  // kAlloc.., kRealloc: the object (a realloc keeps its number). kFree: the
  // object given up; kNoObject where no live object has that address.
  std::uint32_t object = kNoObject;
  // kRealloc of an address that no live object has (allocated before the trace
  // began): the object is new.
  bool unknown_old = false;
  // The address was live already and no realloc within its lag explains it. The
  // object set aside keeps its number until it is freed or forgotten.
  bool double_allocation = false;
};

class ObjectTable {
 public:
  ObjectTable();
  ~ObjectTable();
  ObjectTable(const ObjectTable&) = delete;
  ObjectTable& operator=(const ObjectTable&) = delete;

  // For requests; others give kNoObject.
  Identified Identify(const Event& event);
  // How many numbers were ever in use at once.
  std::uint32_t high_water() const;
  std::uint32_t live() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace arenalab
