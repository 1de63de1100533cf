// E6: pools and arenas four times as large, on the rules of 3.9. It was
// proposed for 3.9 as it stands here and never merged; 3.10 took the sizes
// together with another address test.
//
// All four heaps are the same code with values read at run time, so that their
// times differ by the values alone.
#include <optional>

#include "tools/experiments/experiment.h"
#include "tools/experiments/op_stream.h"
#include "tools/experiments/pinned_stream.h"
#include "tools/experiments/subjects.h"
#include "tools/replay/compile.h"
#include "tools/replay/measure.h"
#include "tools/replay/moments.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kSeed = 1;
// `keep_arenas:1` is 3.9's own value; that it is named makes the heap the one
// whose values are read at run time.
constexpr char kBase[] = "geometry:cpython-3.9,keep_arenas:1";

struct Variant {
  const char* name;
  std::string settings;
};

const std::vector<Variant>& Variants() {
  static const std::vector<Variant> variants = {
      {"3.9: 4 KiB pools, 256 KiB", kBase},
      {"pools x4", std::string(kBase) + ",pool_bytes:16384"},
      {"arenas x4", std::string(kBase) + ",arena_bytes:1048576"},
      {"both x4", std::string(kBase) + ",pool_bytes:16384,arena_bytes:1048576"},
  };
  return variants;
}

struct Load {
  std::string name;
  OpsProgram program;
  std::uint32_t peak;  // sample numbers
  std::uint32_t after;
};

constexpr double kMiBytes = 1 << 20;

}  // namespace

ExperimentResult RunLargerArenas(const ExperimentRequest& request) {
  const std::uint32_t blocks = request.quick ? 100000 : 1000000;
  std::vector<Load> loads;
  OpStream few;
  const PinnedSamples few_samples = PinnedStream(blocks, 10000, &few);
  loads.push_back(
      {"1 of 10,000 stays", few.Close(), few_samples.peak, few_samples.after});
  OpStream many;
  const PinnedSamples many_samples = PinnedStream(blocks, 1000, &many);
  loads.push_back({"1 of 1,000 stays", many.Close(), many_samples.peak,
                   many_samples.after});
  std::optional<CompiledTrace> trace;
  std::optional<OpFile> sampled;
  if (!request.trace.empty()) {
    TraceReader reader(request.trace);
    trace.emplace(Compile(reader, Scope::kPython));
    const Samples samples = ChooseSamples(*trace, 512, 200);
    sampled.emplace(WithSamples(*trace, samples.timeline.steps));
    loads.push_back(
        {"recorded trace",
         {.fd = sampled->fd(),
          .ops = sampled->ops().size(),
          .slots = trace->slots,
          .samples = static_cast<std::uint32_t>(samples.timeline.steps.size())},
         static_cast<std::uint32_t>(samples.moments.peak),
         static_cast<std::uint32_t>(
             samples.moments.last_valley().value_or(samples.moments.end))});
  }
  std::vector<AllocatorSpec> specs;
  for (const Variant& variant : Variants())
    specs.push_back(CloneOf(variant.settings));

  ExperimentResult result;
  result.reported =
      "Motivation: the fast path stays in a pool for longer. Objection: freed "
      "memory is less likely to be given back (bpo-37211, PR 13934; no "
      "figures).";
  result.measured =
      "load               pools, arenas               held at peak  after, MiB "
      " "
      "resident after   ns    to 3.9's [95 %]\n";
  for (const Load& load : loads) {
    request.Phase(load.name + ", times");
    const std::vector<TimedRun> times = MeasureTimes(
        specs, load.program, {.touch = Touch::kHeader}, request.rounds, kSeed);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      request.Phase(load.name + ", " + Variants()[i].name);
      const MemoryRun run =
          MeasureMemory(specs[i], load.program, {.touch = Touch::kFill});
      const auto held = [&](std::uint32_t sample) {
        return static_cast<double>(run.samples[sample].heap.held_bytes) /
               kMiBytes;
      };
      const double resident =
          static_cast<double>(run.samples[load.after].anonymous_bytes -
                              run.start.anonymous_bytes) /
          kMiBytes;
      const TimeRatio& ratio = times[i].ratio;
      result.measured +=
          Cell(load.name, 19) + Cell(Variants()[i].name, 26) +
          Figure(held(load.peak), 2, 14) + Figure(held(load.after), 2, 12) +
          Figure(resident, 2, 16) + Figure(times[i].gross_median, 2, 7) + "  " +
          Figure(ratio.median, 3, 5) + " [" + Figure(ratio.low, 3, 5) + ", " +
          Figure(ratio.high, 3, 5) + "]" + (i == 0 ? " A/A" : "") + "\n";
      result.raw.push_back({{"load", load.name},
                            {"settings", Variants()[i].settings},
                            {"held_at_peak_mib", held(load.peak)},
                            {"held_after_mib", held(load.after)},
                            {"resident_after_mib", resident},
                            {"ns", times[i].gross_ns_per_event},
                            {"ratio", ratio.median},
                            {"ratio_low", ratio.low},
                            {"ratio_high", ratio.high}});
    }
  }
  const auto after = [&](std::size_t row) {
    return Figure(result.raw[row]["held_after_mib"].get<double>(), 1, 1);
  };
  result.meaning =
      "With 1 of 10,000 left, 3.9's own sizes hold " + after(0) +
      " MiB, larger pools alone " + after(1) + ", larger arenas alone " +
      after(2) + ", both " + after(3) +
      ": it is the arena's size that survivors pin. The objection was right "
      "for "
      "sparse survivors; for denser ones every size is pinned alike.";
  return result;
}

}  // namespace arenalab
