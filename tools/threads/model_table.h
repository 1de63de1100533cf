// `arenalab models`: CPython's models of concurrency, on one recorded program.
// N workers each run the whole recording, with objects of their own, as N
// requests of a service would:
//
//   gil           one heap, one lock kept for 5 ms slices
//   (sys.getswitchinterval) lock          one heap, one lock taken for every
//   request interpreters  one heap for each worker (3.12+'s isolated
//   interpreters) shared        one heap that serves all threads itself (free
//   threading) processes     N processes with a heap each
//
// Under `gil` all of a worker's own work happens under the lock, as a program's
// Python does; here that work is nothing but its requests. What an allocator
// cannot do is n/a: one that has one heap a process has none for each
// interpreter, one for a single thread is not shared without a lock.
//
//   requests/s   all workers' requests / (last end - first start)
//   scaling      that against the same model and allocator with one worker:
//                median over rounds, and its interval
//   peak, end    a run of its own that fills every block: VmHWM - VmRSS at the
//                start, Anonymous at the end - at the start; summed over
//                processes
//
// ERRORS. InputError. Threads: one caller at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/replay/compile.h"
#include "tools/threads/interleaved.h"

namespace arenalab {

enum class Model { kGil, kLock, kInterpreters, kShared, kProcesses };
inline constexpr Model kModels[] = {Model::kGil, Model::kLock,
                                    Model::kInterpreters, Model::kShared,
                                    Model::kProcesses};
std::string_view ModelName(Model model);

struct ModelTableRequest {
  std::string trace{};
  std::string allocators{};
  std::vector<std::uint32_t> workers = DefaultCounts();
  Scope scope = Scope::kPython;
  Touch touch = Touch::kHeader;
  int rounds = 8;
  std::uint64_t seed = 1;
  CellProgress progress{};
};

struct ModelCell {
  Model model = Model::kGil;
  std::string allocator{};
  std::uint32_t workers = 0;
  std::string not_measured{};
  TimedCell timed{};
  Interval scaling{};  // rate / rate with one worker; median 0: none measured
  std::int64_t peak_bytes = -1;
  std::int64_t end_bytes = 0;
};

struct ModelTable {
  std::string trace{};
  std::uint64_t requests = 0;  // of one worker
  ModelTableRequest request;
  Interval again{};  // the A/A arm: the first cell against itself
  std::vector<ModelCell> cells{};
};

ModelTable MeasureModelTable(const ModelTableRequest& request);

std::string ModelTableText(const ModelTable& table);
// Schema `arenalab.models/1`.
std::string ModelTableJson(const ModelTable& table);

}  // namespace arenalab
