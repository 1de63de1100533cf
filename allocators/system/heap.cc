// What can be known about the malloc in place; contract in heap.h.
#include "allocators/system/heap.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include "allocators/settings.h"

namespace arenalab {
namespace {

constexpr std::string_view kTunables[] = {
    "arena_max",    "arena_test",     "hugetlb",
    "mmap_max",     "mxfast",         "perturb",
    "tcache_count", "tcache_max",     "tcache_unsorted_limit",
    "top_pad",      "mmap_threshold", "trim_threshold"};

const void* ObjectThatHas(const void* code) {
  Dl_info info{};
  return dladdr(code, &info) == 0 ? nullptr : info.dli_fbase;
}

template <typename Function>
const void* CodeOf(Function* function) {
  return reinterpret_cast<const void*>(function);
}

const void* CLibrary() { return ObjectThatHas(CodeOf(&gnu_get_libc_version)); }

// True if one library, and not the C library, has all four: a malloc of one
// beside a free of the other would crash late and far away.
bool PreloadTookOver() {
  const void* object = ObjectThatHas(CodeOf(&malloc));
  return object != nullptr && object != CLibrary() &&
         object == ObjectThatHas(CodeOf(&calloc)) &&
         object == ObjectThatHas(CodeOf(&realloc)) &&
         object == ObjectThatHas(CodeOf(&free));
}

}  // namespace

const char* SystemHeap::Version() {
  return ObjectThatHas(Code()) == CLibrary() ? gnu_get_libc_version() : "";
}

const char* SystemHeap::CheckSettings(std::string_view settings) {
  if (settings == kPreloaded) {
    return PreloadTookOver() ? nullptr
                             : "the library does not provide all of malloc, "
                               "calloc, realloc and free";
  }
  const bool known =
      VisitSettings(settings, [](std::string_view key, std::string_view value) {
        for (std::string_view tunable : kTunables) {
          if (key == tunable) return NumberIn(value).has_value();
        }
        return false;
      });
  return known ? nullptr
               : "glibc's tunables are arena_max, arena_test, hugetlb, "
                 "mmap_max, mmap_threshold, mxfast, perturb, tcache_count, "
                 "tcache_max, tcache_unsorted_limit, top_pad, trim_threshold, "
                 "their values numbers";
}

}  // namespace arenalab
