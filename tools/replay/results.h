// The results file (RESULTS.md): everything that a replay found, as JSON.
//
// OWNERSHIP. The pointers of ResultsInput are borrowed for the call.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/replay/age.h"
#include "tools/replay/compile.h"
#include "tools/replay/latency.h"
#include "tools/replay/live_list.h"
#include "tools/replay/measure.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tools/replay/oracle.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {

// One allocator of `-a`, and what is known of it. `model` is set for pymalloc.
struct ReplayedAllocator {
  AllocatorSpec spec;
  AllocatorIdentity identity;
  bool exact = false;    // the recorded generation with the recorded arenas
  std::string geometry;  // canonical; pymalloc only, "" for others
  std::optional<ModelRun> model;
  std::optional<MemoryRun> memory;    // the machine's clock
  std::optional<MemoryRun> recorded;  // the recorded clock
  std::optional<MemoryRun> idled;     // really idling
  std::optional<TimedRun> time;
  std::optional<LatencyRun> latency;
  std::string places;  // RESULTS.md, PLACES; "": not known
};

struct ResultsInput {
  std::vector<std::string> command;
  nlohmann::ordered_json verify;  // what verify --json says, or null
  const TraceReader* reader = nullptr;
  const CompiledTrace* trace = nullptr;
  const Samples* samples = nullptr;
  // The clone at the recorded (or default) geometry: limits come from it.
  const ModelRun* reference = nullptr;
  std::string geometry;  // canonical, of `reference`
  std::optional<Oracle> oracle;
  std::optional<Litter> litter;
  std::vector<std::string> warnings;
  std::string touch;         // of the timed runs
  std::string memory_touch;  // of the memory runs
  int repetitions = 0;
  std::vector<ReplayedAllocator> allocators;
  const LiveList* live = nullptr;  // what their places are about, if any is
};

// The whole object, with its verdict.
nlohmann::ordered_json MakeResults(const ResultsInput& input);

}  // namespace arenalab
