// `arenalab threads`: one recording on real threads, every allocator, 1, 2, 4
// ... threads. Three modes:
//
//   faithful      no thread is more than a window of recorded steps ahead
//   free-running  threads wait only for objects that are handed over
//   serial        one thread, the recorded order: deterministic
//
// Memory and content come from a run of their own, in which every block is
// filled, verified before it is given up, and sampled at moments where all
// threads stand still; times from others. Formulas, per cell:
//
//   peak, end      most and last of Anonymous at the moments - at the start
//   blowup         peak with T threads / peak with one, same allocator
//   shared lines   at the moment with most of them: 64-byte lines on which live
//                  blocks of two threads lie
//   waiting        sum of the threads' waits / sum of their times; median of
//                  the timed rounds
//
// ERRORS. InputError. Threads: one caller at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/replay/allocator_spec.h"
#include "tools/replay/compile.h"
#include "tools/replay/measure.h"
#include "tools/threads/interleaved.h"

namespace arenalab {

enum class Interleaving { kFaithful, kFree, kSerial };

struct ThreadTableRequest {
  std::string trace{};
  std::string allocators{};
  std::vector<std::uint32_t> threads = DefaultCounts();
  Interleaving interleaving = Interleaving::kFaithful;
  std::uint64_t window = 4096;
  bool behind_lock = false;  // heaps for one thread get one lock
  Scope scope = Scope::kPython;
  Touch touch = Touch::kHeader;
  int rounds = 8;
  std::uint64_t seed = 1;
  CellProgress progress{};
};

struct ThreadCell {
  std::string allocator{};  // as it was spelled
  std::uint32_t threads = 0;
  bool locked = false;
  std::string not_measured{};  // why; "" where it was
  TimedCell timed{};
  TimeRatio ratio{};  // time, to the first allocator with as many threads
  std::uint64_t events = 0;
  std::uint64_t expected_events = 0;
  std::uint64_t failed = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t overlaps = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t end_bytes = 0;
  std::int64_t peak_requested_bytes = 0;
  std::optional<double> blowup{};
  std::uint64_t lines = 0;  // at the moment with most shared ones
  std::uint64_t shared_lines = 0;
};

struct ThreadTable {
  std::string trace{};
  std::uint64_t requests = 0;
  std::uint32_t recorded_threads = 0;
  std::vector<std::uint64_t> requests_by_thread{};
  std::uint64_t handovers = 0;  // with a stream for each recorded thread
  std::uint64_t shared_objects = 0;
  ThreadTableRequest request;
  std::vector<ThreadCell> cells{};
  std::vector<std::string> notes{};  // what a reader must know, one line each

  // Every event executed, no block's content lost, none overlaps.
  bool content_proved() const;
};

ThreadTable MeasureThreadTable(const ThreadTableRequest& request);

std::string_view InterleavingName(Interleaving interleaving);
std::string ThreadTableText(const ThreadTable& table);
// Schema `arenalab.threads/1`.
std::string ThreadTableJson(const ThreadTable& table);

// Peak and others of a tracked run's moments; the formulas above.
void TakeMemory(const ThreadOutcome& outcome, ThreadCell* cell);

// Over this the waiting is part of what is measured.
inline constexpr double kMuchWaiting = 0.05;

}  // namespace arenalab
