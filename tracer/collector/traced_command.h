// Runs a command under a collector: `arenalab record` without its command line.
//
// SIGNALS. While it runs, SIGINT, SIGQUIT, SIGTERM and SIGHUP that another
// process sends to this one are passed on to the command (those of the terminal
// reach it anyway). Once the command itself has ended the first one ends the
// wait for what it left running, and the trace is finished; the second ends
// this process, and the trace is what has been written.
//
// THREADS. Once in a process, from its only thread: it forks, reaps every child
// and becomes the subreaper of the run's orphans.
#pragma once

#include <string>
#include <vector>

#include "tracer/collector/collector.h"

namespace arenalab {

struct TracedCommand {
  std::vector<std::string> words;
  std::string preload;  // the library's path
};

// Returns when no process of the run is left. The command's exit status as a
// shell gives it: 128 + n for a signal, 126 and 127 where it cannot be run.
int RunTraced(const TracedCommand& command, Collector* collector);

}  // namespace arenalab
