// See standing_heaps.h. /proc/PID/mem alone is read: process_vm_readv would
// make pages that a forked child shares its own.
#include "tools/inspect/standing_heaps.h"

#include "tools/inspect/heap_imaging.h"
#include "tools/inspect/heap_reading.h"
#include "tools/inspect/live_process.h"

namespace arenalab {

std::vector<HeapImage> ReadStandingHeaps(
    pid_t process, const std::function<bool(std::uint64_t base)>& wanted) {
  LiveProcess memory(process);
  std::vector<HeapImage> images;
  for (const AllocatorState& state : FindAllocatorStates(memory)) {
    if (state.arenas.empty() || !wanted(state.arenas[0].record.base)) continue;
    const auto geometry = DecideGeometry(memory, state);
    if (geometry) images.push_back(ReadHeapImage(memory, state, *geometry));
  }
  memory.CheckAlive();
  return images;
}

}  // namespace arenalab
