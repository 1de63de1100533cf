// The two sources that need nothing but libc; contract in arena_source.h.
#include "allocators/arena_source.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>

namespace arenalab {
namespace {

void* AcquireByMmap(void*, std::size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return base == MAP_FAILED ? nullptr : base;
}

void ReleaseByMunmap(void*, void* base, std::size_t bytes) {
  munmap(base, bytes);
}

void DiscardByMadvise(void*, void* address, std::size_t bytes) {
  madvise(address, bytes, MADV_DONTNEED);
}

}  // namespace

ArenaSource MmapArenaSource() {
  return {nullptr, AcquireByMmap, ReleaseByMunmap, DiscardByMadvise};
}

// Zero bytes become one, as CPython's raw domain does, so that the result is
// unique and non-null.
RawSource LibcRawSource() {
  RawSource source{};
  source.allocate = [](void*, std::size_t bytes) {
    return std::malloc(bytes == 0 ? 1 : bytes);
  };
  source.allocate_zeroed = [](void*, std::size_t count, std::size_t bytes) {
    return count == 0 || bytes == 0 ? std::calloc(1, 1)
                                    : std::calloc(count, bytes);
  };
  source.allocate_aligned = [](void*, std::size_t alignment,
                               std::size_t bytes) {
    void* block = nullptr;
    const std::size_t least = sizeof(void*);
    return posix_memalign(&block, alignment < least ? least : alignment,
                          bytes == 0 ? 1 : bytes) == 0
               ? block
               : nullptr;
  };
  source.reallocate = [](void*, void* p, std::size_t bytes) {
    return std::realloc(p, bytes == 0 ? 1 : bytes);
  };
  source.free = [](void*, void* p) { std::free(p); };
  source.usable_size = [](void*, void* p) { return malloc_usable_size(p); };
  return source;
}

}  // namespace arenalab
