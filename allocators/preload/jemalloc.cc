// jemalloc under the interpreter, from the installed static archive. Its malloc
// is this library's alone (exports.lds hides it): the program's stays what it
// was, so that mem and obj can be served by jemalloc and nothing else.
#include <stdlib.h>

#include "allocators/preload/underlay.h"

namespace arenalab::preload {

const Underlay underlay = {
    .name = "jemalloc",
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
