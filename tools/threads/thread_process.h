// The launcher's side: runs one worker with threads, or several processes that
// start together, and brings back what they measured.
//
// ERRORS. InputError naming the allocator. Threads: one caller at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/replay/allocator_spec.h"
#include "tools/threads/thread_protocol.h"
#include "tools/threads/thread_streams.h"

namespace arenalab {

struct ThreadRunOptions {
  ThreadMode mode = ThreadMode::kTimed;
  Touch touch = Touch::kHeader;
  ThreadLock lock = ThreadLock::kNone;
  std::uint32_t copies = 0;  // ThreadIn::copies
  bool heap_each = false;
  std::uint32_t serves = 1;     // ThreadIn::serves
  std::uint32_t processes = 1;  // each with `copies` threads
};

struct ThreadOutcome {
  // Why the allocator cannot be used so; "" where it was.
  std::string not_applicable;
  std::string version;
  std::vector<StreamReport> streams;       // of all processes
  std::vector<MomentSample> moments;       // of the first
  std::int64_t start_anonymous_bytes = 0;  // sums over the processes
  std::int64_t end_anonymous_bytes = 0;
  std::int64_t peak_growth_bytes = 0;  // -1: one of them did not tell

  std::uint64_t events() const;
  std::uint64_t failed() const;
  std::uint64_t corrupted() const;
  std::uint64_t overlaps() const;
  // From the first stream's start to the last one's end.
  std::uint64_t wall_ns() const;
  double requests_per_second() const;
  // Of all streams' time, what they spent waiting for each other.
  double waiting_share() const;
};

ThreadOutcome RunThreads(const AllocatorSpec& spec,
                         const ThreadStreams& program,
                         const ThreadRunOptions& options);

}  // namespace arenalab
