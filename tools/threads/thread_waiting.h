// How a stream waits for another: for an object to be handed over, or for the
// slowest to come near. Spins, then yields; the clock is read only where there
// was something to wait for, so that a run that never waits never asks it.
//
// WHY NOT A LOCK. A lock would order what the recorded program did not order.
// An object's word is written by the stream that gives it up (release) and read
// by the one that takes it (acquire): nothing else is ordered.
//
// Linked into workers: no C++ runtime. Threads: any.
#pragma once

#include <immintrin.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "tools/threads/thread_protocol.h"

namespace arenalab {

inline std::uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// An object of more than one stream. `block`, `size_bytes` and `owner` belong
// to the stream whose turn it is.
struct SharedObject {
  std::atomic<std::uint32_t> turn;  // how often it has changed streams
  std::uint32_t owner;              // stream that its block was handed out to
  void* block;
  std::uint64_t size_bytes;  // untimed runs only
};

// Where a stream is in the recording: the step that it does next.
struct alignas(64) Position {
  std::atomic<std::uint64_t> step;
};

inline constexpr std::uint64_t kEnded = ~std::uint64_t{0};
// A wait as long as this is a fault of the program's, not of the machine's.
inline constexpr std::uint64_t kStuckNs = 120'000'000'000;

// Ends the process; the launcher reads `error`.
[[noreturn]] void FailStuck(ThreadReport* report);

// Until ready() holds. Counts what it waited.
template <typename Ready>
[[gnu::noinline, gnu::cold]] void WaitUntil(Ready ready, StreamReport* stream,
                                            ThreadReport* report) {
  const std::uint64_t start = MonotonicNs();
  for (std::uint64_t tries = 1; !ready(); ++tries) {
    if (tries % 64 != 0) {
      _mm_pause();
      continue;
    }
    sched_yield();
    if (tries % 4096 == 0 && MonotonicNs() - start > kStuckNs) {
      FailStuck(report);
    }
  }
  stream->wait_ns += MonotonicNs() - start;
  ++stream->waits;
}

}  // namespace arenalab
