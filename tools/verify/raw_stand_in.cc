// The one block that every raw request gets.
#include "tools/verify/raw_stand_in.h"

#include <cstring>

namespace arenalab {
namespace {

RawStandIn* Self(void* context) { return static_cast<RawStandIn*>(context); }

}  // namespace

RawStandIn::RawStandIn()
    : memory_(
          std::make_unique<std::byte[]>(kReadableBelow + kMostCopiedBytes)) {
  std::memset(memory_.get(), 0xff, kReadableBelow);
}

RawSource RawStandIn::Source() {
  return {
      .context = this,
      .allocate = [](void* self, std::size_t) { return Self(self)->Block(); },
      .allocate_zeroed = [](void* self, std::size_t,
                            std::size_t) { return Self(self)->Block(); },
      .allocate_aligned = [](void* self, std::size_t,
                             std::size_t) { return Self(self)->Block(); },
      .reallocate = [](void* self, void*,
                       std::size_t) { return Self(self)->Block(); },
      .free = [](void*, void*) {},
      .usable_size = [](void*, void*) { return kMostCopiedBytes; }};
}

}  // namespace arenalab
