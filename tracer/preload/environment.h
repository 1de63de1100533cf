// getenv, as glibc has it: for our own reads, which must not look at the
// allocators, and at the bottom of the one that stands in for it.
#pragma once

#include <string.h>
#include <unistd.h>

#include <cstddef>

namespace arenalab::preload {

inline char* Variable(const char* name) {
  const std::size_t length = strlen(name);
  if (environ == nullptr || length == 0) return nullptr;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
      return *entry + length + 1;
    }
  }
  return nullptr;
}

}  // namespace arenalab::preload
