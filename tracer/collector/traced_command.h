// Runs a command under a collector: `arenalab record` without its command line.
//
// SIGNALS. While it runs, SIGINT, SIGQUIT, SIGTERM and SIGHUP that another
// process sends to this one are passed on to the command (those of the terminal
// reach it anyway), and end the wait once the command itself has ended.
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
