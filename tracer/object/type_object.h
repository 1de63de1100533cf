// A type of CPython, as its bytes tell it: whether an address is that of a
// type, its name, and where in a block its objects begin.
//
//   block ─► | 2 words (managed __dict__,  | GC head   | references, type, ...
//   |
//            | weak references; 3.11+)     |           | the object | |  if
//            kHasPreHeader           |  if kHasGc|                       |
//
// A type is an object whose own type ends, after few steps, in the one that is
// its own type (`type`), that is ready, and whose name can be read. What fits
// no such reading is not guessed at.
//
// SOURCE: struct _typeobject of Include/cpython/object.h, whose fields up to
// tp_flags are where they were in 3.6; _PyType_PreHeaderSize (3.12). Allocates
// nothing; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenalab::object {

// The beginning of PyTypeObject. The fields between are its methods.
struct TypeHead {
  std::uint64_t references;
  std::uint64_t type;
  std::int64_t size;
  std::uint64_t name;
  std::int64_t basic_bytes;
  std::int64_t item_bytes;
  std::uint64_t methods[15];
  std::uint64_t flags;
};
static_assert(offsetof(TypeHead, flags) == 168, "as in PyTypeObject");

inline constexpr std::uint64_t kIsReady = 1ull << 12;
inline constexpr std::uint64_t kHasGc = 1ull << 14;
// Managed weak references (3.12), managed __dict__ (3.11).
inline constexpr std::uint64_t kHasPreHeader = 1ull << 3 | 1ull << 4;
inline constexpr std::uint64_t kIsStr = 1ull << 28;
inline constexpr std::uint64_t kIsType = 1ull << 31;

// No object lies below: where the first pages of a program may be.
inline constexpr std::uint64_t kLeastAddress = 1u << 16;
inline constexpr std::size_t kNameBytes = 80;

// A name as Python has them: no spaces, nothing unprintable. Bytes over 127 are
// letters of UTF-8.
inline bool IsNameByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 127;
}

// Whether a type is at `address`; fills its head and its name, cut to
// kNameBytes - 1 and ended by a NUL. `read(address, out, bytes)` tells how many
// bytes it could read, and may be asked for any address.
template <class Read>
bool ReadType(std::uint64_t address, Read&& read, TypeHead* head,
              char (&name)[kNameBytes]) {
  const auto read_head = [&read](std::uint64_t at, TypeHead* to) {
    return at % 8 == 0 && at >= kLeastAddress &&
           read(at, to, sizeof(*to)) == sizeof(*to);
  };
  constexpr std::int64_t kMostBasicBytes = 1 << 20;
  if (!read_head(address, head) || (head->flags & kIsReady) == 0 ||
      head->references == 0 || head->basic_bytes < 16 ||
      head->basic_bytes > kMostBasicBytes || head->item_bytes < 0 ||
      head->item_bytes > kMostBasicBytes) {
    return false;
  }
  // Its type's type's ... type is its own, and all of them are types.
  std::uint64_t at = head->type;
  for (int steps = 0;; ++steps) {
    TypeHead meta;
    if (steps == 4 || !read_head(at, &meta) || (meta.flags & kIsType) == 0) {
      return false;
    }
    if (meta.type == at) break;
    at = meta.type;
  }
  std::size_t got = read(head->name, name, kNameBytes - 1);
  name[got] = 0;
  std::size_t length = 0;
  while (name[length] != 0) {
    if (!IsNameByte(name[length++])) return false;
  }
  return length != 0;
}

// Of the object in its block. `gc_head_bytes`: 16 from 3.8 on, 24 or 32 before.
constexpr std::size_t ObjectOffset(std::uint64_t type_flags,
                                   std::size_t gc_head_bytes) {
  return ((type_flags & kHasGc) != 0 ? gc_head_bytes : 0) +
         ((type_flags & kHasPreHeader) != 0 ? 16 : 0);
}

}  // namespace arenalab::object
