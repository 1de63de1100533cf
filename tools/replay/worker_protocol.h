// What the launcher and a replay worker share: one mapping, made by the
// launcher, filled by both.
//
//   | ReplayReport | ReplaySample 0 | ReplaySample 1 | ... | addresses |
//
// The launcher starts `replay_worker_NAME` with the ops (ops.h) open on
// descriptor kOpsFd and this mapping's file on kReportFd. `in` is written
// before the start and read-only afterwards; the worker writes the rest and
// exits 0, or writes `error` and exits 1. A worker that dies otherwise leaves
// how far it came in `events`.
//
// Plain old data, no pointers: the two programs are linked differently.
#pragma once

#include <cstdint>

#include "allocators/heap_snapshot.h"
#include "tools/replay/latency_histogram.h"

namespace arenalab {

inline constexpr int kOpsFd = 3;
inline constexpr int kReportFd = 4;
inline constexpr std::uint64_t kReportMagic = 0x3154524f50455231;

// Which bytes of a block are written once it is handed out (never more than
// were asked for). It decides results, in time and in resident memory: every
// table says which.
enum class Touch : std::uint32_t {
  kNone,    // none
  kHeader,  // the first 16, as every Python object writes its header
  kLine,    // the first 64
  kFill,    // all
};

// What clock_gettime, gettimeofday and time tell the allocator.
enum class ReplayClock : std::uint32_t {
  kStopped,   // the machine's time: the program's idle time is not waited for
  kRecorded,  // the trace's time, which stands between two kClock ops
  kIdled,     // the machine's, and the worker sleeps as long as the trace did:
              // the control of kRecorded
};

enum class ReplayMode : std::uint32_t {
  kTimed,    // the requests only; kSample is ignored
  kMemory,   // takes samples, knows the live bytes
  kCheck,    // fills every block and verifies it before it is given up
  kLatency,  // times one request in `one_in`
};

struct ReplayIn {
  std::uint64_t magic;  // kReportMagic
  std::uint64_t ops;    // length of the program, kEnd included
  std::uint32_t slots;  // every op's slot is below this
  std::uint32_t samples;
  Touch touch;
  ReplayClock clock;
  ReplayMode mode;
  std::uint32_t one_in;  // kLatency
  // kMemory: how many addresses follow the samples, a u64 for each request that
  // returns a block, in their order; 0 where it failed. 0: none are wanted.
  std::uint64_t addresses;
  char settings[1028];  // HeapOptions::settings, ends in '\0'
};

struct ReplaySample {
  std::int64_t rss_bytes;        // Rss of smaps_rollup
  std::int64_t anonymous_bytes;  // Anonymous of it: leaves out program text
  std::int64_t requested_bytes;  // live, as asked for
  // Live, as UsableSize() tells: U in measuring terms. -1: the heap does not
  // tell.
  std::int64_t usable_bytes;
  // VmData: private writable mappings, whoever made them.
  std::int64_t mapped_bytes;
  std::uint64_t events;  // executed before this sample
  std::uint64_t taken;   // 1; 0 where the program had no such sample
  HeapSnapshot heap;
};

struct ReplayReport {
  ReplayIn in;
  char error[256];   // "" or one line
  char version[64];  // what the library says of itself
  char
      library[512];  // file that serves the requests; "" where it is the worker
  std::uint64_t events;     // requests executed, releases included
  std::uint64_t cpu_ns;     // CPU time inside the segments only
  std::uint64_t failed;     // requests answered with nullptr
  std::uint64_t corrupted;  // kCheck: blocks that did not hold their bytes
  std::uint64_t minor_faults;
  std::uint64_t major_faults;
  ReplaySample start;  // heap made, nothing requested: the empty replay
  // kLatency: by OpCode kAlloc to kFree; what two readings of the counter cost
  // by themselves; and the whole replay in both units.
  LatencyHistogram latency[5];
  std::uint64_t ticks_of_nothing;
  std::uint64_t latency_ticks;
  std::uint64_t latency_ns;
};

static_assert(sizeof(ReplayReport) % alignof(ReplaySample) == 0,
              "the samples follow directly");

}  // namespace arenalab
