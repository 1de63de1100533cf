// What the recorded process holds, as somebody who can read its memory tells
// it: the collector itself knows neither pools nor objects.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/heap_image.h"

namespace arenalab {

struct LivingObject {
  std::uint64_t address;  // of its block
  std::string_view type;
  Owner owner;
};
using LivingVisitor = std::function<void(const LivingObject&)>;
using LivingReader = std::function<void(pid_t process, const LivingVisitor&)>;
// The heaps of a process that stands still, those without an arena left out; of
// those whose first arena `wanted(base)`. Throws InputError where one cannot be
// read, or is no whole heap.
using HeapReader = std::function<std::vector<HeapImage>(
    pid_t process, const std::function<bool(std::uint64_t base)>& wanted)>;

}  // namespace arenalab
