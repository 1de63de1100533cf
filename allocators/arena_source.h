// Where a heap gets its arenas and its oversized blocks from.
//
// Both are plain function tables, as CPython's PyObjectArenaAllocator and
// PyMemAllocatorEx are, so that a heap can run on mmap, inside the verifier
// (which hands out arenas with a recorded base) or under a real interpreter.
//
// OWNERSHIP. The tables are copied into the heap; what `context` points at must
// outlive it. THREADS. Called on the thread that called the heap, never
// concurrently for one heap. ERRORS. nullptr means failure; nothing throws.
#pragma once

#include <cstddef>

namespace arenalab {

struct ArenaSource {
  void* context;
  // `bytes` is the arena size of the heap's geometry. The result may have any
  // alignment that the operating system's page gives; the heap copes.
  void* (*acquire)(void* context, std::size_t bytes);
  void (*release)(void* context, void* base, std::size_t bytes);
  // Whole pages inside an arena whose content the heap no longer needs; they
  // must stay accessible, and may read as anything. nullptr: they are kept.
  void (*discard)(void* context, void* address, std::size_t bytes) = nullptr;
};

// Serves what the heap itself does not: zero bytes, more than the largest
// small request, and small requests when no arena could be had.
struct RawSource {
  void* context;
  void* (*allocate)(void* context, std::size_t bytes);
  void* (*allocate_zeroed)(void* context, std::size_t count, std::size_t bytes);
  // `alignment` is a power of two; the block is freed by `free`.
  void* (*allocate_aligned)(void* context, std::size_t alignment,
                            std::size_t bytes);
  void* (*reallocate)(void* context, void* p, std::size_t bytes);
  void (*free)(void* context, void* p);
  std::size_t (*usable_size)(void* context, void* p);
};

// mmap/munmap of anonymous private memory, as CPython >= 3.3 on Unix.
ArenaSource MmapArenaSource();
// The C library's malloc family (whatever malloc the program is linked with).
RawSource LibcRawSource();

}  // namespace arenalab
