// The interpreter's own allocators, called through one hook each: what hooks
// alone cost, to be set beside the others.
#include "allocators/preload/underlay.h"

namespace arenalab::preload {
namespace {

constinit PythonAllocator real[kDomains]{};

const PythonAllocator& Real(void* context) {
  return *static_cast<PythonAllocator*>(context);
}

PythonAllocator Make(Domain domain, const Beneath& beneath) {
  real[domain] = beneath.domain[domain];
  return {&real[domain],
          [](void* context, std::size_t size) {
            return Real(context).malloc(Real(context).context, size);
          },
          [](void* context, std::size_t count, std::size_t size) {
            return Real(context).calloc(Real(context).context, count, size);
          },
          [](void* context, void* block, std::size_t size) {
            return Real(context).realloc(Real(context).context, block, size);
          },
          [](void* context, void* block) {
            Real(context).free(Real(context).context, block);
          }};
}

}  // namespace

const Underlay underlay = {
    .name = "pass-through",
    .raw_refusal = nullptr,
    .frees_earlier_blocks = true,
    .start = nullptr,
    .allocator = Make,
    .watched_raw = nullptr,
    .unwatched = nullptr,
    .live_blocks = nullptr,
    .print_statistics = nullptr,
    .summarise = nullptr,
};

}  // namespace arenalab::preload
