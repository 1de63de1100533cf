// What the launcher and a worker with threads share: two mappings, made by the
// launcher.
//
//   kThreadProgramFd  | ThreadProgram | ThreadStream 0 | 1 | ... | ThreadOps |
//   kThreadReportFd   | ThreadReport | StreamReport 0 | ... | MomentSample 0 |
//
// `in` is written before the start and read-only afterwards; the worker writes
// the rest and exits 0, or writes `error` and exits 1.
//
// Two uses. A TRACE's own threads: one real thread a stream. COPIES of one
// stream (in.copies > 0): so many threads, each of which runs stream 0 with
// objects of its own, as independent requests would.
//
// Plain old data, no pointers: the two programs are linked differently.
#pragma once

#include <atomic>
#include <cstdint>

#include "allocators/heap_snapshot.h"
#include "tools/replay/worker_protocol.h"

namespace arenalab {

inline constexpr int kThreadProgramFd = 3;
inline constexpr int kThreadReportFd = 4;
inline constexpr std::uint64_t kThreadMagic = 0x3144414552485441;
inline constexpr std::uint32_t kMostThreads = 1024;

struct ThreadStream {
  std::uint64_t first_op;  // index into the ops
  std::uint64_t ops;       // kEnd included
  std::uint64_t events;    // requests, releases included
  std::uint32_t slots;     // its own registers
  std::uint32_t unused;
};

struct ThreadProgram {
  std::uint64_t magic;
  std::uint32_t streams;
  std::uint32_t moments;
  std::uint64_t shared;  // objects that more than one stream uses
  std::uint64_t window;  // steps a stream may be ahead; 0: kPosition is absent
};

enum class ThreadMode : std::uint32_t {
  kTimed,   // requests only
  kMemory,  // fills blocks; takes the moments' samples
  kCheck,   // and verifies every block before it is given up
};

// What stands between a thread and the heap.
enum class ThreadLock : std::uint32_t {
  kNone,
  kEachRequest,  // one lock, taken for every request
  kSlices,       // one lock, kept for kSliceNs where others wait: the GIL
};
// sys.getswitchinterval()'s default.
inline constexpr std::uint64_t kSliceNs = 5'000'000;

struct ThreadIn {
  std::uint64_t magic;
  std::uint32_t copies;     // 0: the program's own streams
  std::uint32_t heap_each;  // 1: a heap a thread
  ThreadMode mode;
  Touch touch;
  ThreadLock lock;
  std::uint32_t rendezvous;  // 1: wait for `go`, with other processes
  // The heap must be able to serve as many threads, though fewer may run now.
  std::uint32_t serves;
  std::uint32_t unused;
  char settings[1024];
};

struct StreamReport {
  std::uint64_t events;
  std::uint64_t failed;
  std::uint64_t corrupted;
  std::uint64_t start_ns;  // CLOCK_MONOTONIC
  std::uint64_t end_ns;
  std::uint64_t wait_ns;  // for other streams (not for a lock)
  std::uint64_t waits;
  std::uint64_t unused;
};
static_assert(sizeof(StreamReport) == 64, "one cache line each, unshared");

struct MomentSample {
  std::int64_t anonymous_bytes;
  std::int64_t requested_bytes;
  std::uint64_t live_blocks;
  // Lines of 64 bytes that hold a live block's first or last byte, and those
  // of them that hold blocks handed out to two streams or more.
  std::uint64_t lines;
  std::uint64_t shared_lines;
  std::uint64_t overlaps;  // pairs of neighbours that share a byte
  std::uint64_t taken;
  HeapSnapshot heap;
};

struct ThreadReport {
  ThreadIn in;
  char error[256];
  char version[64];
  // "" or why this heap cannot be used so: the cell is n/a.
  char not_applicable[128];
  std::uint64_t cache_line_bytes;
  std::int64_t start_anonymous_bytes;  // heap made, nothing requested
  std::int64_t end_anonymous_bytes;
  std::int64_t peak_growth_bytes;  // VmHWM - VmRSS at the start; -1 unknown
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> go;
  std::uint64_t unused[6];
};
static_assert(sizeof(ThreadReport) % 64 == 0, "the streams' follow directly");

}  // namespace arenalab
