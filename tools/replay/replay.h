// The whole of `arenalab replay`: a trace in, the results object out.
//
//   compile the trace -> choose samples -> the model for every pymalloc ->
//   verify, if one of them is the recorded one -> a memory run of every
//   allocator -> timed rounds over all -> results
//
// Errors: InputError. Threads: one.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/replay/age.h"
#include "tools/replay/compile.h"
#include "tools/replay/measure.h"

namespace arenalab {

struct ReplayRequest {
  std::vector<std::string> command;  // as it was typed, for the results
  // What `arenalab verify --json` says of the trace; null: not asked yet, and
  // asked here if an allocator is the recorded one.
  nlohmann::ordered_json verify;
  std::string trace;
  std::string allocators;  // as for -a; empty: kDefaultAllocators
  std::string geometry;    // of plain `pymalloc`; empty: the recorded one
  std::vector<std::size_t> arena_offsets;  // empty: recorded, or 0
  std::string placements;  // file for the first pymalloc or native; ""
  Scope scope = Scope::kPython;
  Touch touch = Touch::kHeader;  // of the timed runs
  // Also measure the memory of allocators that give back by the clock under the
  // recorded one, in which the program's idle time passes.
  bool recorded_clock = true;
  // And in a replay that really idles as long as the program did: the control.
  bool idled_clock = false;
  std::uint32_t latency_one_in = 0;  // latency.h; 0: not measured
  std::optional<Litter> litter;      // age.h
  int repetitions = 10;              // timed rounds; 0: no times
  std::size_t samples = 1000;
  bool oracle = true;  // compute the limit with foresight: oracle.h
  // Called with the name of each phase as it begins; may be empty.
  std::function<void(const std::string&)> phase;
  // Called within a long phase, with how much of it is done; may be empty.
  std::function<void(const std::string&, int done, int total)> progress;
};

inline constexpr char kDefaultAllocators[] =
    "pymalloc,mimalloc,jemalloc,system,bump,null";

// Where neither the trace nor the caller names a generation.
inline constexpr char kDefaultGeometry[] = "cpython-3.13";

nlohmann::ordered_json Replay(const ReplayRequest& request);

}  // namespace arenalab
