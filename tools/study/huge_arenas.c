/* Arenas that the kernel may back with huge pages: an anonymous mapping of
   ARENA_BYTES (environment) is told MADV_HUGEPAGE, and where it is a multiple
   of 2 MiB it is aligned to that. Preloaded into a Python or the clone under
   it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HUGE_BYTES ((size_t)2 << 20)

static void *map(void *hint, size_t bytes, int protection, int flags, int fd,
                 long offset) {
  return (void *)syscall(SYS_mmap, hint, bytes, protection, flags, fd, offset);
}

void *mmap(void *hint, size_t bytes, int protection, int flags, int fd,
           long offset) {
  const char *wanted = getenv("ARENA_BYTES");
  if (!wanted || hint || !(flags & MAP_ANONYMOUS) ||
      bytes != strtoul(wanted, NULL, 10))
    return map(hint, bytes, protection, flags, fd, offset);
  if (bytes % HUGE_BYTES != 0) {
    void *arena = map(hint, bytes, protection, flags, fd, offset);
    if (arena != MAP_FAILED) madvise(arena, bytes, MADV_HUGEPAGE);
    return arena;
  }
  char *wide = map(NULL, bytes + HUGE_BYTES, protection, flags, fd, offset);
  if (wide == MAP_FAILED) return wide;
  size_t before = (HUGE_BYTES - (size_t)wide % HUGE_BYTES) % HUGE_BYTES;
  if (before) munmap(wide, before);
  munmap(wide + before + bytes, HUGE_BYTES - before);
  madvise(wide + before, bytes, MADV_HUGEPAGE);
  return wide + before;
}

void *mmap64(void *hint, size_t bytes, int protection, int flags, int fd,
             long offset) {
  return mmap(hint, bytes, protection, flags, fd, offset);
}
