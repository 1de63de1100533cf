// The model's promise: five million requests a second, samples and map
// included. Counted in CPU time, so that a busy machine does not fail it.
#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>

#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/model.h"

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

TEST(ModelSpeed, FiveMillionRequestsASecond) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer slows what is measured";
#endif
  const std::string path = ScratchPath(".trace");
  WriteGoldenTrace(path, Churn);
  TraceReader reader(path);
  const CompiledTrace trace = Compile(reader, Scope::kPython);
  const Samples samples = ChooseSamples(trace, 512, 1000);
  ASSERT_GT(trace.steps, 3'000'000u);
  const double start = CpuSeconds();
  RunModel("geometry:cpython-3.11", trace, samples, {});
  const double rate = static_cast<double>(trace.steps) / (CpuSeconds() - start);
  RecordProperty("requests_per_second", std::to_string(rate));
  std::printf("%.1f M requests a second, %zu samples\n", rate * 1e-6,
              samples.timeline.steps.size());
  EXPECT_GE(rate, 5e6);
}

}  // namespace
}  // namespace arenalab
