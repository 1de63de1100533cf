// Runs a program and whatever it forks under ptrace, so that each child can be
// looked at in the moment of its fork, at the beginning and the end of each
// garbage collection (gc_hook.h), and before its memory is gone.
//
// Signals, stops and exit statuses reach everybody as without it. If this
// process dies the program goes on. Programs that trace themselves (debuggers)
// do not run under it.
#pragma once

#include <string>
#include <vector>

namespace arenalab {

class FamilyWatcher {
 public:
  virtual ~FamilyWatcher() = default;
  // The child stands still; it has not run yet.
  virtual void Forked(int parent, int child) = 0;
  // What it shared with its parent is gone; it is another program.
  virtual void Executed(int pid) = 0;
  virtual void Collecting(int pid, bool begins) = 0;
  // Its memory is still there.
  virtual void Ending(int pid) = 0;
  // Now and then; whom it looks at runs on.
  virtual void Tick() = 0;
};

// The exit status of the command as a shell has it. Throws InputError if it
// cannot be started or traced.
int RunFamily(const std::vector<std::string>& command,
              const std::vector<std::string>& variables, double tick_seconds,
              FamilyWatcher* watcher);

}  // namespace arenalab
