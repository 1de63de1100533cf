// The list of experiments; contract in experiment.h.
#include "tools/experiments/experiment.h"

#include <strings.h>

namespace arenalab {

const std::vector<Experiment>& Experiments() {
  static const std::vector<Experiment> experiments = {
      {"X1", "a loop that needs one block of a new arena: arenas created",
       RunThrash},
      {"X2", "freeing many arenas in random order: linear or quadratic",
       RunQuadraticFree},
      {"X3", "a few survivors among a million strings: arenas given back",
       RunPinnedArenas},
      {"E5", "the published form of X1", RunThrash},
      {"E6", "pools and arenas four times as large on 3.9's rules",
       RunLargerArenas},
      {"C1", "what one action of a forked child copies: collector on and off",
       RunCopyOnWrite},
      {"reference",
       "retained memory, meshing, touching, idling: as was once reported",
       RunReference},
      {"speed", "the clone beside the interpreter's own allocator: time",
       RunSpeed},
  };
  return experiments;
}

const Experiment* FindExperiment(const std::string& name) {
  for (const Experiment& experiment : Experiments()) {
    if (strcasecmp(experiment.name, name.c_str()) == 0) return &experiment;
  }
  return nullptr;
}

}  // namespace arenalab
