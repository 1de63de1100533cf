/* A malloc library that is glibc's, with SPINS turns of an empty loop before
   each free: what the throughput gate must find. With SPINS 0 it is the base,
   the same code but for that. */
#include <stddef.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

void *malloc(size_t bytes) { return __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return __libc_calloc(count, bytes); }
void *realloc(void *p, size_t bytes) { return __libc_realloc(p, bytes); }

void free(void *p) {
  for (int i = 0; i < SPINS; ++i) __asm__ volatile("");
  __libc_free(p);
}
