// What lives in the recorded process, as somebody who can read its heap tells
// it: the collector itself knows neither arenas nor objects.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string_view>

#include "tracer/event.h"

namespace arenalab {

struct LivingObject {
  std::uint64_t address;  // of its block
  std::string_view type;
  Owner owner;
};
using LivingVisitor = std::function<void(const LivingObject&)>;
using LivingReader = std::function<void(pid_t process, const LivingVisitor&)>;

}  // namespace arenalab
