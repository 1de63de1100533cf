// The same program in N workers at once, as threads, processes or interpreters:
// memory of all of them together, time, and how long it takes to start them.
//
//   threads        N threads of one interpreter
//   fork           children forked by a process that has done nothing yet
//   spawn          interpreters started anew
//   forkserver     children of a server that forks, itself started anew
//   interpreters   isolated interpreters with a lock of their own, a thread
//                  each (3.12 and later)
//
// MEMORY. Pss summed over all processes that belong to it, the parent, server
// and tracker too: at its highest (sampled every 20 ms), and when all workers
// have ended the program and still hold its globals.
// TIME. From the moment in which every worker could run the program's first
// line until the last has ended it. Start-up is what comes before.
//
// Errors: InputError.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace arenalab {

// In the order above.
const std::vector<std::string>& WorkerModels();

struct WorkersOptions {
  std::vector<std::string> command;  // an interpreter, a program, arguments
  std::vector<std::string> models;   // of WorkerModels()
  std::vector<int> counts = {1, 2, 4, 8};
  int rounds = 1;    // of each, in an order that changes
  bool pin = false;  // worker i to core i, modulo their number
  std::function<void(const std::string&)> phase;
};

struct WorkersRow {
  std::string model;
  int workers = 0;
  std::string error;  // why it could not be run; then nothing below counts
  // Medians over the rounds.
  double start_up_seconds = 0;
  double work_seconds = 0;
  double peak_pss_bytes = 0;
  double end_pss_bytes = 0;
  double end_private_bytes = 0;
  double processes = 0;  // at the end

  double runs_per_second() const { return workers / work_seconds; }
};

struct WorkersResult {
  std::string command;
  std::string python;  // its version
  int rounds = 0;
  bool pinned = false;
  std::vector<WorkersRow> rows;  // by model, then by count
};

WorkersResult RunWorkers(const WorkersOptions& options);

std::string WorkersText(const WorkersResult& result);
// Schema arenalab.workers/1.
nlohmann::ordered_json WorkersJson(const WorkersResult& result);

}  // namespace arenalab
