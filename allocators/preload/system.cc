// The C library's malloc under the interpreter, or whatever stands in for it:
// preloaded together with a malloc library, that library serves all of Python.
#include <stdlib.h>

#include "allocators/preload/underlay.h"

namespace arenalab::preload {

const Underlay underlay = {
    .name = "system",
    .raw_refusal = nullptr,
    .frees_earlier_blocks = false,
    .start = nullptr,
    .allocator = LikeMalloc<malloc, calloc, realloc, free>::Make,
    .watched_raw = nullptr,
    .unwatched = nullptr,
    .live_blocks = nullptr,
    .print_statistics = nullptr,
    .summarise = nullptr,
};

}  // namespace arenalab::preload
