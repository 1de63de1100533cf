// The C library's functions that this library stands in for: the allocators,
// each with one call of glibc's own and one record; pthread_create, to know
// before there is a second thread; getenv, where CPython may have set its
// allocators anew. exports.lds lists the same names.
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators/interpreter/environment.h"
#include "tracer/preload/python_hooks.h"
#include "tracer/preload/recorder.h"

// The oldest version of dlsym, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

// glibc's own, under the names that it exports for this purpose. Calling them
// needs no dlsym, which would itself allocate.
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

void* Aligned(std::size_t align, std::size_t size) {
  void* block = __libc_memalign(align, size);
  if (block != nullptr && Records()) {
    RecordAligned<Layer::kLibc>(block, size, align);
  }
  return block;
}

// 3.6 and 3.7 set their allocators anew in the midst of starting, and may ask
// for no variable then (-E). But the next that they do is a raw allocation, of
// which by then nobody but malloc knows.
void LookAgain() {
  if (local.depth != 0 || !settings.enabled || settings.threaded) return;
  WrapAllocators();
  settings.starting = !InterpreterIsInitialised();
}

bool IsPowerOfTwo(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }

}  // namespace
}  // namespace arenalab::preload

using namespace arenalab;           // NOLINT(google-build-using-namespace)
using namespace arenalab::preload;  // NOLINT(google-build-using-namespace)

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size) {
  if (ARENALAB_UNLIKELY(settings.starting)) LookAgain();
  void* block = __libc_malloc(size);
  if (block != nullptr && Records()) {
    RecordBlock<Layer::kLibc, EventKind::kAlloc>(block, size);
  }
  return block;
}

void free(void* block) {
  if (block != nullptr && Records()) RecordFree<Layer::kLibc>(block);
  __libc_free(block);
}

void* calloc(std::size_t count, std::size_t size) {
  void* block = __libc_calloc(count, size);
  if (block != nullptr && Records()) {
    RecordBlock<Layer::kLibc, EventKind::kZeroed>(block, count * size);
  }
  return block;
}

void* realloc(void* old, std::size_t size) {
  if (!Records()) return __libc_realloc(old, size);
  if (old != nullptr && size == 0) {
    // glibc frees the block and returns nullptr.
    RecordFree<Layer::kLibc>(old);
    return __libc_realloc(old, 0);
  }
  if (old != nullptr) RecordRelease<Layer::kLibc>();
  void* block = __libc_realloc(old, size);
  if (block != nullptr) RecordRealloc<Layer::kLibc>(old, block, size);
  return block;
}

void* reallocarray(void* old, std::size_t count, std::size_t size) {
  std::size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(old, bytes);
}

void* memalign(std::size_t align, std::size_t size) {
  return Aligned(align, size);
}

// Before C17 and in glibc up to 2.37 any alignment goes.
void* aligned_alloc(std::size_t align, std::size_t size) {
  return Aligned(align, size);
}

int posix_memalign(void** out, std::size_t align, std::size_t size) {
  if (align % sizeof(void*) != 0 || !IsPowerOfTwo(align)) return EINVAL;
  const int saved = errno;  // POSIX: the result alone tells the error
  void* block = Aligned(align, size);
  errno = saved;
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}

void* valloc(std::size_t size) {
  void* block = __libc_valloc(size);
  if (block != nullptr && Records()) {
    RecordAligned<Layer::kLibc>(block, size,
                                static_cast<std::size_t>(getpagesize()));
  }
  return block;
}

void* pvalloc(std::size_t size) {
  void* block = __libc_pvalloc(size);
  if (block != nullptr && Records()) {
    RecordAligned<Layer::kLibc>(block, size,
                                static_cast<std::size_t>(getpagesize()));
  }
  return block;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                   void* (*start)(void*), void* argument) {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(
      dlsym(RTLD_NEXT, "pthread_create"));
  // Before the thread exists, so that no ticket is taken twice.
  settings.threaded = true;
  return real(thread, attributes, start, argument);
}

// For tracer/mark/arenalab_mark.py: 1 where the mark stands in a trace.
int arenalab_mark(const char* name) { return AppendMark(name) ? 1 : 0; }

// CPython asks for PYTHONMALLOC, then may set its allocators anew, then asks
// for other variables: at each we look again.
char* getenv(const char* name) {
  if (settings.enabled && !settings.threaded) WrapAllocators();
  return Variable(name);
}

}  // extern "C"
#pragma GCC visibility pop
