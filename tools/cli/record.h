// `arenalab record`: a command's allocations, into a trace.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/verb.h"

namespace arenalab {

struct RecordRequest {
  std::string output;  // empty: arenalab-<script>-<time>-<pid>.trace
  bool layers = false;
  bool lossy = false;
  bool force = false;  // overwrite the trace
  std::vector<std::string> command;
};

struct RecordOutcome {
  int status = 0;     // the exit status of `record`
  std::string trace;  // of the main process; empty where nothing was recorded
};

// Runs the command under the tracer until the last of its processes has ended.
// Says on stderr what was recorded, or why nothing was.
RecordOutcome Record(const RecordRequest& request);

void AddRecord(CommandLine& line);

}  // namespace arenalab
