// The launcher's side of a replay: starts one worker process for every trace x
// allocator x repetition and brings back what it measured.
//
// Deterministic figures (MeasureMemory, for the allocators that do not look at
// the clock) and times (MeasureTimes) never come from the same run.
//
//   memory    Rss and Anonymous of smaps_rollup at a sample, minus the same
//             before the first request (the empty replay)
//   gross     CPU time of the worker inside the loop / requests, per round
//   net       median gross - median gross of `null` in the same rounds
//   ratio     measure_ratio.h
//
// Errors: InputError naming the allocator where its worker cannot be started,
// refuses its settings, or is killed by a signal. Threads: one caller at a
// time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/replay/allocator_spec.h"
#include "tools/replay/worker_protocol.h"

namespace arenalab {

// A compiled trace (ops.h) in a file or memfd; the descriptor stays the
// caller's.
struct OpsProgram {
  int fd = -1;
  std::uint64_t ops = 0;      // kEnd included
  std::uint32_t slots = 0;    // every op's slot is below this
  std::uint32_t samples = 0;  // kSample ops are numbered below this
};

struct ReplayOptions {
  Touch touch = Touch::kHeader;
  ReplayClock clock = ReplayClock::kStopped;
  // Memory runs: report the addresses of so many requests that return a block.
  std::uint64_t addresses = 0;
};

// "none", "header", "line", "fill".
std::string_view TouchName(Touch touch);
std::optional<Touch> TouchOfName(std::string_view name);

// Who answers: found out by the worker itself, not from package lists.
struct AllocatorIdentity {
  std::string version;  // "" where there is none to tell
  // The file that holds the code: its path, or the name alone where it is the
  // worker itself, whose folder is nobody's business.
  std::string library;
  std::string sha256;  // of that file, hexadecimal; "" without sha256sum
};

// Starts the worker on an empty program. Throws InputError if it refuses the
// settings, or if a library by path does not serve malloc, calloc, realloc and
// free. Call it for each allocator before a long trace is read.
AllocatorIdentity ProbeAllocator(const AllocatorSpec& spec);

struct MemoryRun {
  // One per sample number; rss_bytes and anonymous_bytes as the kernel says
  // them. What the requests brought is the difference to `start`.
  std::vector<ReplaySample> samples;
  ReplaySample start;
  std::vector<std::uint64_t> addresses;  // as asked for; 0: it failed
  std::uint64_t events = 0;
  std::uint64_t failed = 0;  // requests the allocator did not serve
  std::uint64_t minor_faults = 0;
};
MemoryRun MeasureMemory(const AllocatorSpec& spec, const OpsProgram& program,
                        const ReplayOptions& options);

struct CheckRun {
  std::uint64_t events = 0;
  std::uint64_t failed = 0;
  std::uint64_t corrupted = 0;  // blocks whose bytes changed while they lived
};
// Fills every block and verifies it before it is given up.
CheckRun CheckReplay(const AllocatorSpec& spec, const OpsProgram& program,
                     const ReplayOptions& options);

enum class TimeVerdict { kFaster, kSlower, kNoDifference, kTooFewRounds };
// "faster", "slower", "no difference", "too few rounds".
std::string_view TimeVerdictName(TimeVerdict verdict);

// Of the per-round ratios time / time of the first allocator.
struct TimeRatio {
  double median = 1;
  double low = 1;  // bootstrap 95 % interval of the median
  double high = 1;
  TimeVerdict verdict = TimeVerdict::kTooFewRounds;
};

struct TimedRun {
  std::vector<double> gross_ns_per_event;  // one per round
  std::vector<double> again_ns_per_event;  // the A/A arm: first allocator only
  double gross_median = 0;
  std::optional<double> net_median;  // minus `null`'s; set if null was measured
  TimeRatio ratio;                   // to the first; of the first: again/first
};

// Rounds below this cannot give a 95 % interval of a median: 1 - 2/2^n.
inline constexpr int kLeastRounds = 6;

// Called before each process with (done, total); may be empty.
using MeasureProgress = void (*)(void* context, int done, int total);

// `rounds` rounds, each over all allocators and once more over the first (the
// A/A arm), in an order drawn anew per round from `seed`. Results in the order
// of `specs`. kSample ops are ignored.
std::vector<TimedRun> MeasureTimes(const std::vector<AllocatorSpec>& specs,
                                   const OpsProgram& program,
                                   const ReplayOptions& options, int rounds,
                                   std::uint64_t seed,
                                   MeasureProgress progress = nullptr,
                                   void* context = nullptr);

}  // namespace arenalab
