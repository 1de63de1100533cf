// Walks the heaps that heap_reading.h finds, with the eyes of object_types.h.
#include "tools/inspect/living_types.h"

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/live_process.h"
#include "tools/inspect/object_types.h"
#include "tracer/format/input_error.h"

namespace arenalab {

void ReadLivingTypes(pid_t process, const LivingVisitor& visit) {
  try {
    LiveProcess memory(process);
    ObjectTypes types(memory);
    for (const AllocatorState& state : FindAllocatorStates(memory)) {
      const auto geometry = DecideGeometry(memory, state);
      if (!geometry) continue;
      ReadHeap(memory, state, *geometry, [&](const LiveBlock& block) {
        const HeldObject held = types.Identify(block.bytes, block.block_bytes);
        if (held.type == nullptr) return;
        visit({block.address, held.type->name, held.owner});
      });
    }
  } catch (const InputError&) {
    // It ended, or may not be read: the trace says how many were told.
  }
}

}  // namespace arenalab
