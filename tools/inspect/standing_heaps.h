// The heaps of a process that is being recorded and stands still, for its
// collector, which knows neither arenas nor pools.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "tracer/format/heap_image.h"

namespace arenalab {

// Of those whose first arena `wanted(base)`. The program stands between two
// requests (ring::Hold), so the image of its heap is whole. Throws InputError
// where it is not, or the memory may not be read.
std::vector<HeapImage> ReadStandingHeaps(
    pid_t process, const std::function<bool(std::uint64_t base)>& wanted);

}  // namespace arenalab
