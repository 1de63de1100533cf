// The environment as an array: getenv as glibc has it, for the reads of preload
// libraries, which must not look at the allocators, and at the bottom of the
// one that stands in for it; and a variable taken out before the interpreter
// looks.
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

// Takes every entry of that name out of the array, which the program's main()
// was or will be given too. The text itself stays where it is.
inline void RemoveVariable(const char* name) {
  const std::size_t length = strlen(name);
  if (environ == nullptr) return;
  char** kept = environ;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') continue;
    *kept++ = *entry;
  }
  *kept = nullptr;
}

}  // namespace arenalab::preload
