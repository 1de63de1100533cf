// `arenalab record`: a command's allocations, into a trace.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/verb.h"

namespace arenalab {

struct RecordRequest {
  std::string output;  // ExpandName() is applied; empty: a default
  bool layers = false;
  bool lossy = false;
  bool no_children = false;
  bool types = false;   // of the objects
  bool sites = false;   // of the requests
  bool stacks = false;  // and all that called them
  bool force = false;   // overwrite the trace
  std::string from_mark;
  std::string until_mark;
  double duration_s = 0;            // 0: to the end
  std::vector<std::string> rotate;  // sizes and ages, as ParseRotation() takes
  int keep = 0;                     // files of a process; 0: all
  std::vector<std::string> command;
};

struct RecordOutcome {
  int status = 0;     // the exit status of `record`
  std::string trace;  // of the main process; empty where nothing was recorded
};

// %p this process, %h the host, %n the command's script, %t the time, %% a %.
// Throws UsageError for another letter.
std::string ExpandName(const std::string& pattern,
                       const std::vector<std::string>& command);

// Runs the command under the tracer until the last of its processes has ended.
// Says on stderr what was recorded, or why nothing was.
RecordOutcome Record(const RecordRequest& request);

void AddRecord(CommandLine& line);

}  // namespace arenalab
