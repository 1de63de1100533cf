// What a mem or obj event is about, read from the interpreter's own objects:
// the type of an object that is given up, and the line of Python that asks.
//
// Only in the hooks of the mem and obj domains, so under the interpreter's
// lock, and only for the state that the state stream is of. Nothing of the
// interpreter is called that allocates or runs Python; no profile or trace
// function is set.
//
// NUMBERS. A type or a call site gets the next number, and a record with its
// name, when it is first seen. An address stands for it as long as the type, or
// the code object, is not given up; its own free passes these hooks. A child
// after fork has a ring of its own and begins anew.
//
// SAFETY. An address that may be no type is read by process_vm_readv, which
// fails where a load would end the program.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenalab::preload {

// Objects of the interpreter and functions that allocate nothing, found by
// name; some may be absent.
struct ObjectApi {
  const void* type_type;  // PyType_Type, and so on
  const void* code_type;
  const void* str_type;
  void* (*thread_state)();
  std::int64_t (*str_length)(void* str);
  std::uint32_t (*str_character)(void* str, std::int64_t index);
  int (*line_of)(void* code, int place);
  int (*is_initialised)();
};
extern ObjectApi objects;

// Finds out what settings.types and settings.sites ask for and can be had with
// Python 3.`minor`. Once, from the constructor, before the ring is made.
void BeginAttribution(int minor);
void BeginTypes(int minor);
void BeginSites(int minor);

// The number of the type of the object in a block of the obj domain that is
// about to be given up; 0 where it cannot be told.
std::uint32_t TypeOfFreed(const void* block);

// The current call site, in the stream, where it is not the last one's.
void NoteSite();
// A block of the obj domain is about to be given up. If it is a code object,
// its address may be another's soon.
void ForgetCode(const void* block);

// Up to `bytes` bytes at an address that may be anything.
std::size_t ReadSafely(std::uint64_t address, void* out, std::size_t bytes);

}  // namespace arenalab::preload
