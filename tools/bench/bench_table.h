// `arenalab bench`: the workloads on every allocator, in interleaved rounds.
// Each run is a process of its own (bench_NAME), which writes Google
// Benchmark's JSON; with a folder to keep it in, that is left exactly as it was
// written:
//
//   FOLDER/ALLOCATOR/WORKLOAD-THREADS-ROUND.json
//
//   rate     items_per_second, median of the rounds; bootstrap 95 % interval
//   ratio    median of the rounds' times / those of the first allocator
//   memory   of workloads that are about it: from the first round
//
// ERRORS. InputError naming the allocator and the workload. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/replay/measure.h"
#include "tools/threads/interleaved.h"

namespace arenalab {

struct BenchRequest {
  std::vector<std::string> workloads{};  // empty: all
  std::string allocators{};
  std::vector<std::uint32_t> threads = DefaultCounts();
  int rounds = 8;
  std::uint32_t divide = 1;
  bool behind_lock = false;
  std::string folder{};  // "" keeps no JSON
  std::uint64_t seed = 1;
  CellProgress progress{};
};

struct BenchCell {
  std::string workload{};
  std::string allocator{};
  std::uint32_t threads = 1;
  bool of_memory = false;
  std::string not_measured{};
  TimedCell timed{};
  TimeRatio ratio{};
  bool wrong = false;  // the content did not hold in some round
  std::optional<double> live_bytes{};
  std::optional<double> held_bytes{};
  std::optional<double> resident_bytes{};
  std::optional<double> blowup{};
  std::optional<double> shared_lines{};
  std::optional<double> lines{};
};

struct BenchTable {
  BenchRequest request{};
  std::vector<BenchCell> cells{};
  bool content_held() const;
};

BenchTable MeasureBench(const BenchRequest& request);

// "name  what it does", a line each.
std::string WorkloadList();
std::string BenchTableText(const BenchTable& table);

}  // namespace arenalab
