// How many requests a second the model replays, samples and map included; the
// goal is five million.
//
//   bazel run //tests/tools/replay:model_benchmark
//
// CPU time, in pairs of runs: the second of a pair over the first is the A/A
// arm, what noise does.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "tests/tools/replay/golden_stream.h"
#include "tools/replay/measure_ratio.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// Forty times over: fill all slots with small objects, free every other one.
void Churn(const GoldenSink& sink) {
  GoldenDraws draws;
  std::vector<bool> occupied(kGoldenSlots * 5);
  for (int round = 0; round < 40; ++round) {
    for (std::uint64_t slot = 0; slot < occupied.size(); ++slot) {
      if (!occupied[slot])
        sink(EventKind::kAlloc, slot, 1 + draws.Next() % 128);
      occupied[slot] = true;
    }
    for (std::uint64_t slot = round % 2; slot < occupied.size(); slot += 2) {
      sink(EventKind::kFree, slot, 0);
      occupied[slot] = false;
    }
  }
}

CompiledTrace ChurnTrace() {
  const char* folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder != nullptr ? folder : "/tmp") +
                           "/model_benchmark." + std::to_string(getpid()) +
                           ".trace";
  WriteGoldenTrace(path, Churn);
  TraceReader reader(path);
  CompiledTrace trace = Compile(reader, Scope::kPython);
  unlink(path.c_str());
  return trace;
}

// Millions of requests a second.
double Rate(const CompiledTrace& trace, const Samples& samples) {
  const double start = CpuSeconds();
  RunModel("geometry:cpython-3.11", trace, samples, {});
  return static_cast<double>(trace.steps) * 1e-6 / (CpuSeconds() - start);
}

}  // namespace
}  // namespace arenalab

int main() {
  using namespace arenalab;
  constexpr int kPairs = 15;
  const CompiledTrace trace = ChurnTrace();
  const Samples samples = ChooseSamples(trace, 512, 1000);
  std::vector<double> rates;
  std::vector<double> again;
  for (int pair = 0; pair < kPairs; ++pair) {
    rates.push_back(Rate(trace, samples));
    again.push_back(Rate(trace, samples));
  }
  const TimeRatio noise = RatioOf(again, rates, 1);
  std::printf(
      "%.1f M requests a second (median of %d; %.1f to %.1f), goal 5; "
      "%llu requests, %zu samples\n"
      "A/A %.3f [%.3f, %.3f]\n",
      Median(rates), kPairs, *std::min_element(rates.begin(), rates.end()),
      *std::max_element(rates.begin(), rates.end()),
      static_cast<unsigned long long>(trace.steps),
      samples.timeline.steps.size(), noise.median, noise.low, noise.high);
  return 0;
}
