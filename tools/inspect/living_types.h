// The types of what lives in a process that is being recorded, for its
// collector, which knows neither arenas nor objects.
#pragma once

#include <sys/types.h>

#include "tracer/collector/living_object.h"

namespace arenalab {

// Every live block of every pymalloc heap of the process whose object can be
// told. The process is not stopped: it may stand still by itself. Nothing where
// it cannot be read.
void ReadLivingTypes(pid_t process, const LivingVisitor& visit);

}  // namespace arenalab
