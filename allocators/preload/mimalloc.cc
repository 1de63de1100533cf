// mimalloc under the interpreter, the installed shared library by its own
// names: it comes after the C library in the order of look-up, whose malloc the
// rest of the program goes on to use.
#include <mimalloc.h>

#include "allocators/preload/underlay.h"

namespace arenalab::preload {
namespace {

void* Malloc(std::size_t size) { return mi_malloc(size); }
void* Calloc(std::size_t count, std::size_t size) {
  return mi_calloc(count, size);
}
void* Realloc(void* block, std::size_t size) { return mi_realloc(block, size); }
void Free(void* block) { mi_free(block); }

}  // namespace

const Underlay underlay = {
    .name = "mimalloc",
    .raw_refusal = nullptr,
    .frees_earlier_blocks = false,
    .start = nullptr,
    .allocator = LikeMalloc<Malloc, Calloc, Realloc, Free>::Make,
    .watched_raw = nullptr,
    .unwatched = nullptr,
    .live_blocks = nullptr,
    .print_statistics = nullptr,
    .summarise = nullptr,
};

}  // namespace arenalab::preload
