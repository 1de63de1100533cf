// No allocator: the interpreter as it is, with only the note of its end
// (finalise_note.h). What a measured run without any other library here has.
#include "allocators/preload/underlay.h"

namespace arenalab::preload {

const Underlay underlay = {
    .name = "observer",
    .raw_refusal = nullptr,
    .frees_earlier_blocks = true,
    .start = nullptr,
    .allocator = nullptr,
    .watched_raw = nullptr,
    .unwatched = nullptr,
    .live_blocks = nullptr,
    .print_statistics = nullptr,
    .summarise = nullptr,
};

}  // namespace arenalab::preload
