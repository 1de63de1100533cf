// Any malloc library under the interpreter and nowhere else: the one that is
// preloaded right behind this. Whatever else the program asks of malloc is sent
// to the C library, past it.
//
//   LD_PRELOAD="libarenalab_library.so ./libother.so" python3 app.py
//
// A library whose own functions call each other by their public names, instead
// of directly, would get the C library's too: for such a one the whole process
// is the scope to use.
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "allocators/preload/underlay.h"

// The oldest version of each, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");

extern "C" {
void* __libc_malloc(std::size_t);
void __libc_free(void*);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* __libc_valloc(std::size_t);
void* __libc_pvalloc(std::size_t);
}

namespace arenalab::preload {
namespace {

void* (*other_malloc)(std::size_t);
void* (*other_calloc)(std::size_t, std::size_t);
void* (*other_realloc)(void*, std::size_t);
void (*other_free)(void*);

void* Malloc(std::size_t size) { return other_malloc(size); }
void* Calloc(std::size_t count, std::size_t size) {
  return other_calloc(count, size);
}
void* Realloc(void* block, std::size_t size) {
  return other_realloc(block, size);
}
void Free(void* block) { other_free(block); }

template <typename Function>
void FindNext(Function* out, const char* name) {
  *out = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void* InLibc(const char* name) {
  void* libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return libc == nullptr ? nullptr : dlsym(libc, name);
}

const char* Start(const Beneath&) {
  FindNext(&other_malloc, "malloc");
  FindNext(&other_calloc, "calloc");
  FindNext(&other_realloc, "realloc");
  FindNext(&other_free, "free");
  if (reinterpret_cast<void*>(other_malloc) == InLibc("malloc")) {
    return "no malloc library is preloaded behind libarenalab_library.so (or "
           "it "
           "has no malloc)";
  }
  return nullptr;
}

}  // namespace

const Underlay underlay = {
    .name = "library",
    .raw_refusal = nullptr,
    .frees_earlier_blocks = false,
    .start = Start,
    .allocator = LikeMalloc<Malloc, Calloc, Realloc, Free>::Make,
    .watched_raw = nullptr,
    .unwatched = nullptr,
    .live_blocks = nullptr,
    .print_statistics = nullptr,
    .summarise = nullptr,
};

}  // namespace arenalab::preload

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size) { return __libc_malloc(size); }
void free(void* block) { __libc_free(block); }
void* calloc(std::size_t count, std::size_t size) {
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) { return __libc_realloc(old, size); }
void* reallocarray(void* old, std::size_t count, std::size_t size) {
  std::size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t align, std::size_t size) {
  return __libc_memalign(align, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) {
  return __libc_memalign(align, size);
}
int posix_memalign(void** out, std::size_t align, std::size_t size) {
  if (align % sizeof(void*) != 0 || align == 0 || (align & (align - 1)) != 0) {
    return EINVAL;
  }
  const int saved = errno;  // POSIX: the result alone tells the error
  void* block = __libc_memalign(align, size);
  errno = saved;
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}
void* valloc(std::size_t size) { return __libc_valloc(size); }
void* pvalloc(std::size_t size) { return __libc_pvalloc(size); }
std::size_t malloc_usable_size(void* block) {
  static const auto real = reinterpret_cast<std::size_t (*)(void*)>(
      arenalab::preload::InLibc("malloc_usable_size"));
  return real(block);
}

}  // extern "C"
#pragma GCC visibility pop
