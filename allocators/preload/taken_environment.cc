// Taking variables out, and the functions that put them back; contract in
// taken_environment.h. Those may be called in a child of vfork(): they use the
// stack and nothing else.
#include "allocators/preload/taken_environment.h"

#include <alloca.h>
#include <dlfcn.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include <cstddef>

#include "allocators/interpreter/environment.h"
#include "allocators/preload/underlay.h"

// The oldest version, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

namespace arenalab::preload {
namespace {

constexpr const char* kNames[] = {
    "LD_PRELOAD",     "ARENALAB_PYMALLOC",   "ARENALAB_SCOPE",
    "ARENALAB_STATS", "ARENALAB_MEASURE_AT", "ARENALAB_FINALISE_NOTE",
    "ARENALAB_SHIFT", "PYTHONMALLOC"};
constexpr std::size_t kMost = sizeof(kNames) / sizeof(kNames[0]);

struct Entry {
  std::size_t name_bytes;
  char* text;  // NAME=value
};
constinit Entry entries[kMost]{};
constinit std::size_t entry_count = 0;
// Copies: programs that rename themselves write over the originals.
constinit char storage[16384]{};
constinit std::size_t storage_used = 0;

bool StaysForPython(const char* name, const char* value) {
  return strcmp(name, "PYTHONMALLOC") == 0 &&
         (underlay.allocator == nullptr || strstr(value, "debug") != nullptr);
}

void Take(const char* name) {
  const char* value = Variable(name);
  if (value == nullptr || StaysForPython(name, value)) return;
  const std::size_t name_bytes = strlen(name);
  const std::size_t value_bytes = strlen(value);
  const std::size_t bytes = name_bytes + value_bytes + 2;
  if (bytes > sizeof(storage) - storage_used) return;
  char* text = storage + storage_used;
  storage_used += bytes;
  memcpy(text, name, name_bytes);
  text[name_bytes] = '=';
  memcpy(text + name_bytes + 1, value, value_bytes + 1);
  entries[entry_count++] = {name_bytes, text};
  RemoveVariable(name);
}

bool Has(char* const* environment, const Entry& entry) {
  for (; *environment != nullptr; ++environment) {
    // With the '='.
    if (strncmp(*environment, entry.text, entry.name_bytes + 1) == 0) {
      return true;
    }
  }
  return false;
}

std::size_t CountOf(char* const* environment) {
  std::size_t count = 0;
  while (environment[count] != nullptr) ++count;
  return count;
}

// `with` has room for all of `environment`, kMost and a nullptr.
char** PutBack(char* const* environment, char** with) {
  char** end = with;
  for (char* const* at = environment; *at != nullptr; ++at) *end++ = *at;
  for (std::size_t i = 0; i < entry_count; ++i) {
    if (!Has(environment, entries[i])) *end++ = entries[i].text;
  }
  *end = nullptr;
  return with;
}

// The C library's own.
struct Reals {
  decltype(&::execve) execve;
  decltype(&::execvpe) execvpe;
  decltype(&::fexecve) fexecve;
  decltype(&::posix_spawn) spawn;
  decltype(&::posix_spawnp) spawnp;
};
constinit Reals reals{};

template <typename Function>
void FindNext(Function* out, const char* name) {
  *out = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// By the constructor, in every process: a child of fork() may not look up.
[[gnu::constructor(101)]] void FindReals() {
  FindNext(&reals.execve, "execve");
  FindNext(&reals.execvpe, "execvpe");
  FindNext(&reals.fexecve, "fexecve");
  FindNext(&reals.spawn, "posix_spawn");
  FindNext(&reals.spawnp, "posix_spawnp");
}

}  // namespace

void TakeEnvironment() {
  for (const char* name : kNames) Take(name);
}

const char* Taken(const char* name) {
  const std::size_t bytes = strlen(name);
  for (std::size_t i = 0; i < entry_count; ++i) {
    if (entries[i].name_bytes == bytes &&
        strncmp(entries[i].text, name, bytes) == 0) {
      return entries[i].text + bytes + 1;
    }
  }
  return nullptr;
}

}  // namespace arenalab::preload

using namespace arenalab::preload;  // NOLINT(google-build-using-namespace)

// On the caller's stack, so a macro: alloca() ends with its function.
#define ARENALAB_WITH_TAKEN(environment)        \
  (entry_count == 0 || (environment) == nullptr \
       ? const_cast<char**>(environment)        \
       : PutBack(environment,                   \
                 static_cast<char**>(alloca(    \
                     (CountOf(environment) + kMost + 1) * sizeof(char*)))))

#pragma GCC visibility push(default)
extern "C" {

int execve(const char* path, char* const* words, char* const* environment) {
  return reals.execve(path, words, ARENALAB_WITH_TAKEN(environment));
}

int execv(const char* path, char* const* words) {
  return execve(path, words, environ);
}

int execvpe(const char* file, char* const* words, char* const* environment) {
  return reals.execvpe(file, words, ARENALAB_WITH_TAKEN(environment));
}

int execvp(const char* file, char* const* words) {
  return execvpe(file, words, environ);
}

int fexecve(int fd, char* const* words, char* const* environment) {
  return reals.fexecve(fd, words, ARENALAB_WITH_TAKEN(environment));
}

int posix_spawn(pid_t* child, const char* path,
                const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const* words,
                char* const* environment) {
  return reals.spawn(child, path, actions, attributes, words,
                     ARENALAB_WITH_TAKEN(environment));
}

int posix_spawnp(pid_t* child, const char* file,
                 const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const* words,
                 char* const* environment) {
  return reals.spawnp(child, file, actions, attributes, words,
                      ARENALAB_WITH_TAKEN(environment));
}

}  // extern "C"
#pragma GCC visibility pop
