// A benchmark program: the workloads, on the one allocator that is linked into
// it, under Google Benchmark. `arenalab bench` starts these; by hand:
//
//   bench_mimalloc --workload=larson --threads=2 [--divide=N] [--lock=1]
//                  [--settings=key:value,...] [--benchmark_...]
//
// One iteration is the whole workload, of fixed work, timed by the workload
// itself (manual time), so that what Google Benchmark does around it is not in
// the figure. A process runs one workload once: every run begins with a fresh
// heap.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/bench/heap_calls.h"
#include "tools/bench/workload.h"

namespace arenalab {
namespace {

struct Flags {
  std::string workload;
  std::string settings;
  WorkloadOptions options{};
  bool lock = false;
};

bool TakeWord(std::string_view argument, std::string_view name,
              std::string* value) {
  if (!argument.starts_with(name) || argument.size() == name.size() ||
      argument[name.size()] != '=') {
    return false;
  }
  *value = argument.substr(name.size() + 1);
  return true;
}

// "" or what is wrong.
std::string Parse(int argc, char** argv, Flags* flags) {
  for (int i = 1; i < argc; ++i) {
    std::string number;
    if (TakeWord(argv[i], "--workload", &flags->workload) ||
        TakeWord(argv[i], "--settings", &flags->settings)) {
      continue;
    }
    unsigned* target = nullptr;
    unsigned lock = 0;
    if (TakeWord(argv[i], "--threads", &number)) {
      target = &flags->options.threads;
    } else if (TakeWord(argv[i], "--divide", &number)) {
      target = &flags->options.divide;
    } else if (TakeWord(argv[i], "--lock", &number)) {
      target = &lock;
    } else {
      return std::string("unknown argument ") + argv[i];
    }
    char* end = nullptr;
    const unsigned long value = std::strtoul(number.c_str(), &end, 10);
    if (number.empty() || *end != '\0' || value > 4096 ||
        (value == 0 && target != &lock)) {
      return std::string("no such number: ") + argv[i];
    }
    *target = static_cast<unsigned>(value);
    flags->lock |= lock != 0;
  }
  return "";
}

void Count(benchmark::State& state, const char* name, std::int64_t value) {
  if (value >= 0) state.counters[name] = static_cast<double>(value);
}

void Report(benchmark::State& state, const WorkloadOutcome& outcome) {
  state.SetIterationTime(static_cast<double>(outcome.wall_ns) / 1e9);
  state.SetItemsProcessed(static_cast<std::int64_t>(outcome.operations));
  Count(state, "wrong", static_cast<std::int64_t>(outcome.wrong));
  Count(state, "live_bytes", outcome.live_bytes);
  Count(state, "held_bytes", outcome.held_bytes);
  Count(state, "resident_bytes", outcome.resident_bytes);
  Count(state, "shared_lines", outcome.shared_lines);
  Count(state, "lines", outcome.lines);
  if (outcome.blowup > 0) state.counters["blowup"] = outcome.blowup;
  if (outcome.wrong != 0) {
    state.SkipWithError("blocks did not hold what was written into them");
  }
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  Flags flags;
  const std::string wrong = Parse(argc, argv, &flags);
  const Workload* found = nullptr;
  for (const Workload& workload : Workloads()) {
    if (workload.name == flags.workload) found = &workload;
  }
  if (!wrong.empty() || found == nullptr) {
    std::fprintf(stderr, "%s: %s; `arenalab bench list` names the workloads\n",
                 argv[0], wrong.empty() ? "no such workload" : wrong.c_str());
    return 2;
  }
  const LinkedHeap linked = MakeLinkedHeap(flags.settings);
  if (linked.error != nullptr) {
    std::fprintf(stderr, "%s\n", linked.error);
    return 3;
  }
  benchmark::AddCustomContext("allocator_version", linked.calls->version);
  benchmark::AddCustomContext("settings", flags.settings);
  WorkloadHeap heap(linked, flags.lock);
  const bool serves = flags.options.threads == 1 || found->one_at_a_time ||
                      flags.lock || linked.calls->threads != Threads::kOne;
  benchmark::RegisterBenchmark(
      (flags.workload + "/threads:" + std::to_string(flags.options.threads))
          .c_str(),
      [&](benchmark::State& state) {
        for (auto _ : state) {
          if (!serves) {
            state.SkipWithError("n/a: one thread at a time");
            break;
          }
          Report(state, found->run(heap, flags.options));
        }
      })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace arenalab

int main(int argc, char** argv) { return arenalab::Main(argc, argv); }
