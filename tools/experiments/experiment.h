// Experiments on CPython's small-object allocator, by name: each makes or reads
// a request stream, runs it on the clone's generations and on real
// interpreters, and sets what it measures beside what was reported.
//
//   X1, E5   a loop that needs the first block of a new arena and gives it back
//   X2, E4   freeing many arenas' blocks in random order: linear or quadratic
//   X3       a few survivors that keep arenas
//   E6       pools and arenas four times as large on 3.9's rules
//   C1       what one action of a forked child copies
//   reference  figures of a study before this project
//   speed    the clone beside the interpreter: time per request
//
// Each result has the reported figure and its source, the measured ones, and a
// sentence on what they mean; and the raw figures as JSON.
//
// Errors: InputError. Threads: one.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace arenalab {

struct ExperimentRequest {
  std::vector<std::string> pythons;  // interpreters' paths; empty: all found
  std::string trace;                 // speed, E6: a recording too; "": none
  int rounds = 10;                   // of timed experiments
  bool quick = false;                // smaller streams: for tests
  // Called with what is being done; may be empty.
  std::function<void(const std::string&)> phase;

  void Phase(const std::string& what) const {
    if (phase) phase(what);
  }
};

struct ExperimentResult {
  std::string reported;                     // and by whom
  std::string measured;                     // a table, lines ended
  std::string meaning;                      // one sentence or two
  std::vector<nlohmann::ordered_json> raw;  // a measurement each
};

struct Experiment {
  const char* name;
  const char* title;
  ExperimentResult (*run)(const ExperimentRequest&);
};

const std::vector<Experiment>& Experiments();
// nullptr if there is none. Case does not matter.
const Experiment* FindExperiment(const std::string& name);

// --- The experiments, one file each
ExperimentResult RunThrash(const ExperimentRequest& request);
ExperimentResult RunQuadraticFree(const ExperimentRequest& request);
ExperimentResult RunPinnedArenas(const ExperimentRequest& request);
ExperimentResult RunLargerArenas(const ExperimentRequest& request);
ExperimentResult RunCopyOnWrite(const ExperimentRequest& request);
ExperimentResult RunReference(const ExperimentRequest& request);
ExperimentResult RunSpeed(const ExperimentRequest& request);

}  // namespace arenalab
