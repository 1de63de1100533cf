// What the trace knows of each request beyond its size: for heaps whose policy
// looks at it (allocators/pymalloc/lane.h).
//
// LIFETIME. Of a step that makes a block, malloc, calloc or realloc: the bytes
// that later steps ask for up to the one that frees or reallocates the object,
// that one's own included, its own not. The clock is that of all steps of the
// trace, foreign ones too: "allocated bytes" as measuring counts them.
//
// Worked example, steps 0 to 4:
//
//   a = malloc(8)      lifetime 100 + 40 = 140   log2: 7
//   b = malloc(100)    never freed               kImmortalLog2
//   a = realloc(a, 40) lifetime 1                0
//   c = malloc(1)      never freed
//   free(a)
//
// MEMORY. One byte a step, and 16 a slot while the constructor runs; neither
// where no lifetimes are asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "allocators/pymalloc/lane.h"
#include "allocators/request_hint.h"
#include "tools/replay/compile.h"

namespace arenalab {

// What lanes of this kind need and the trace does not know, in words; nullptr
// where it does.
const char* MissingForLanes(const CompiledTrace& trace, LaneChoice lanes);

// Walks with a StepCursor: Next() once for each step, in order.
class HintCursor {
 public:
  // `trace` must outlive this.
  HintCursor(const CompiledTrace& trace, bool with_lifetimes);

  RequestHint Next();
  // CompiledTrace::owners of the step that Next() told of; 0 without them.
  std::uint8_t owner() const {
    return trace_.owners.empty() ? 0 : trace_.owners[step_ - 1];
  }

 private:
  const CompiledTrace& trace_;
  std::vector<std::uint8_t> lifetimes_;  // floor(log2), by step
  std::uint64_t step_ = 0;
  std::size_t next_origin_ = 0;
  RequestHint hint_;
};

}  // namespace arenalab
