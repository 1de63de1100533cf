// A compiled trace becomes one stream of operations for each thread that is to
// run (thread_op.h), in a memfd that a worker maps.
//
// ORDER. Each stream keeps its recorded threads' own order. Between streams
// only this is kept: the operations on one object come in the recorded order.
// Where two that follow each other belong to different streams, the object is
// handed over: the first publishes, the second waits. Nothing else waits, and
// no operation is moved to another thread.
//
//   recorded            stream 0            stream 1
//   0  a = malloc(24)   malloc a, publish
//   1  b = malloc(8)                        malloc b
//   0  c = malloc(16)   malloc c
//   1  free(a)                              wait, free a
//   1  free(b)                              free b
//   0  free(c)          free c
//
// Here a is shared, b and c are local: their numbers are used again within
// their stream, as ObjectTable's are within a trace. A shared object has a word
// of its own for the whole run, beside those born on the same stream; were
// words used again, an object would wait for a stranger.
//
// WINDOW (faithful mode). With a window of W steps no stream begins an
// operation more than W + W/8 recorded steps ahead of the slowest: the
// recorded interleaving, to that precision, and so the recorded amount of live
// memory.
//
// FEWER STREAMS than recorded threads: the thread with most operations goes to
// the emptiest stream, then the next. One stream is the recorded order itself:
// the serial, deterministic replay.
//
// MEMORY. Two bits a step beside the ops, and 24 bytes a shared object in the
// worker.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

struct StreamOptions {
  std::uint32_t streams = 1;  // no more are made than threads were recorded
  std::uint64_t window = 0;   // 0: free-running
  // Ascending. All streams stop when the steps before it are done.
  std::vector<std::uint64_t> moments{};
};

struct StreamCounts {
  std::uint64_t events = 0;
  std::uint32_t slots = 0;
  std::vector<std::uint32_t> threads{};  // recorded, ascending
};

// OWNERSHIP. The descriptor is this object's.
class ThreadStreams {
 public:
  ThreadStreams(const CompiledTrace& trace, const StreamOptions& options);
  ~ThreadStreams();
  ThreadStreams(const ThreadStreams&) = delete;
  ThreadStreams& operator=(const ThreadStreams&) = delete;

  int fd() const { return fd_; }
  const std::vector<StreamCounts>& streams() const { return streams_; }
  std::uint32_t moments() const { return moments_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t shared_objects() const { return shared_; }
  // Operations that wait for another stream: where ownership moves.
  std::uint64_t handovers() const { return handovers_; }

 private:
  int fd_ = -1;
  std::vector<StreamCounts> streams_{};
  std::uint32_t moments_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t handovers_ = 0;
};

// Operations of each recorded thread, by its number.
std::vector<std::uint64_t> StepsByThread(const CompiledTrace& trace);

// For memory runs: `count` moments evenly over the steps, the step where most
// bytes are live, and the end. Ascending, without doubles.
std::vector<std::uint64_t> ThreadMoments(const CompiledTrace& trace,
                                         std::uint32_t count);

}  // namespace arenalab
