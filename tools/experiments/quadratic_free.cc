// X2 and E4: many full arenas, whose pools are freed in rounds, each round in a
// fresh random order of arenas. All arenas then have nearly the same number of
// free pools, and each pool that is freed moves its arena behind all of them:
// a walk before 3.8 (quadratic), one step by search fingers since (linear).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/experiments/experiment.h"
#include "tools/experiments/op_stream.h"
#include "tools/experiments/subjects.h"
#include "tools/replay/measure.h"

namespace arenalab {
namespace {

// 256 KiB arenas of 4 KiB pools of seven blocks of 512 bytes.
constexpr std::uint32_t kPools = 64;
constexpr std::uint32_t kBlocks = 7;
constexpr std::uint32_t kBlocksPerArena = kPools * kBlocks;

void Fill(std::uint32_t arenas, OpStream* stream) {
  for (std::uint32_t slot = 0; slot < arenas * kBlocksPerArena; ++slot)
    stream->Allocate(slot, 512);
}

void FreeAtRandom(std::uint32_t arenas, OpStream* stream) {
  Draws draws;
  std::vector<std::uint32_t> order(arenas);
  std::iota(order.begin(), order.end(), 0u);
  for (std::uint32_t pool = 0; pool < kPools; ++pool) {
    for (std::uint32_t i = arenas - 1; i > 0; --i)
      std::swap(order[i], order[draws.Next() % (i + 1)]);
    for (const std::uint32_t arena : order)
      for (std::uint32_t block = 0; block < kBlocks; ++block)
        stream->Free(arena * kBlocksPerArena + pool * kBlocks + block);
  }
}

// The least of two runs: what else the machine does only adds.
double SecondsOf(const AllocatorSpec& spec, OpStream* stream) {
  const OpsProgram program = stream->Close();
  // Untouched: the pages that are written are the allocator's own.
  const TimedRun run =
      MeasureTimes({spec}, program, {.touch = Touch::kNone}, 1, 1)[0];
  return std::min(run.gross_ns_per_event[0], run.again_ns_per_event[0]) *
         static_cast<double>(stream->requests()) / 1e9;
}

// The frees alone: with them minus without them.
double FreeSeconds(const AllocatorSpec& spec, std::uint32_t arenas) {
  OpStream fill;
  Fill(arenas, &fill);
  OpStream both;
  Fill(arenas, &both);
  FreeAtRandom(arenas, &both);
  return SecondsOf(spec, &both) - SecondsOf(spec, &fill);
}

}  // namespace

ExperimentResult RunQuadraticFree(const ExperimentRequest& request) {
  const std::vector<std::uint32_t> sizes =
      request.quick ? std::vector<std::uint32_t>{100, 200}
                    : std::vector<std::uint32_t>{500, 1000, 2000, 4000, 8000};
  ExperimentResult result;
  result.reported =
      "The list of usable arenas is walked for each pool freed before 3.8: "
      "time "
      "goes with the square of the arenas; linear since (bpo-37029). Measured "
      "once before: 3.7.16 8.85 s and 3.8.18 0.92 s to free 8,000 arenas.";
  result.measured = Cell("seconds to free, arenas:", 26);
  for (const std::uint32_t arenas : sizes)
    result.measured += Figure(arenas, 0, 9);
  result.measured += "   power of the arenas (1 = linear, 2 = quadratic)\n";
  const auto row = [&](const std::string& name, const AllocatorSpec& spec) {
    result.measured += Cell(name, 26);
    std::vector<double> seconds;
    for (const std::uint32_t arenas : sizes) {
      request.Phase(name + ", " + std::to_string(arenas) + " arenas");
      seconds.push_back(FreeSeconds(spec, arenas));
      result.measured += Figure(seconds.back(), 3, 9);
    }
    // Over the last three doublings, where there are as many.
    const std::size_t from = sizes.size() > 3 ? sizes.size() - 4 : 0;
    const double power =
        std::log2(seconds.back() / seconds[from]) /
        std::log2(static_cast<double>(sizes.back()) / sizes[from]);
    result.measured += Figure(power, 2, 9) + "\n";
    result.raw.push_back({{"allocator", name},
                          {"arenas", sizes},
                          {"free_seconds", seconds},
                          {"power", power}});
  };
  for (const Subject& subject : Subjects(request)) {
    // Larger arenas are another experiment.
    if (subject.geometry == "cpython-3.10" ||
        subject.geometry == "cpython-3.11")
      continue;
    row("CPython " + subject.label, subject.native);
  }
  row("clone 3.7 (walk)", CloneOf("geometry:cpython-3.7.4"));
  row("clone 3.8 (fingers)", CloneOf("geometry:cpython-3.8"));
  result.meaning =
      "Both give the same addresses; the fingers only find the place in the "
      "list "
      "at once. The clone walks where its generation does, so that the cost of "
      "the old rule can be measured too.";
  return result;
}

}  // namespace arenalab
