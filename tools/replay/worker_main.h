// The whole of a replay worker, for what gives it a process: its own main()
// (worker_entry.cc), or a library that is preloaded into another program.
#pragma once

namespace arenalab {

// Maps what the launcher left on the descriptors of worker_protocol.h, replays,
// and fills the report. The process's exit status; end it with _exit, for what
// an allocator prints or frees at exit is not part of a replay.
int RunReplayWorker();

}  // namespace arenalab
