// `speed`: the clone's time per request beside the interpreter's own, on the
// same streams, in the same loop, round by round in an order drawn anew, with
// the interpreter once more in each round (the A/A arm: what noise does).
//
// The clone is called directly and the interpreter through PyObject_Malloc,
// which is what a program calls: a ratio below 1 says that nothing is lost by
// replaying on the clone, not that it is the better allocator.
#include <optional>

#include "tools/experiments/experiment.h"
#include "tools/experiments/op_stream.h"
#include "tools/experiments/subjects.h"
#include "tools/replay/compile.h"
#include "tools/replay/measure.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kSeed = 1;

struct Stream {
  std::string name;
  OpsProgram program;
};

// 56 bytes out and back: the fast path alone. One block stays out, or releases
// before 3.9 would map and unmap an arena each time.
void Churn(std::uint32_t requests, OpStream* stream) {
  stream->Allocate(0, 56);
  for (std::uint32_t i = 0; i < requests / 2; ++i) {
    stream->Allocate(1, 56);
    stream->Free(1);
  }
}

// A hundred blocks of 1 to 256 bytes out, then back in order.
void Mixed(std::uint32_t requests, OpStream* stream) {
  Draws draws;
  stream->Allocate(100, 56);
  for (std::uint32_t i = 0; i < requests / 200; ++i) {
    for (std::uint32_t slot = 0; slot < 100; ++slot)
      stream->Allocate(slot, 1 + draws.Next() % 256);
    for (std::uint32_t slot = 0; slot < 100; ++slot) stream->Free(slot);
  }
}

// Of 100,000 live blocks any one goes and another of 1 to 512 bytes comes.
void RandomFree(std::uint32_t requests, OpStream* stream) {
  constexpr std::uint32_t kLive = 100000;
  Draws draws;
  for (std::uint32_t slot = 0; slot < kLive; ++slot)
    stream->Allocate(slot, 1 + draws.Next() % 512);
  for (std::uint32_t i = 0; i < requests / 2; ++i) {
    const std::uint32_t slot = draws.Next() % kLive;
    stream->Free(slot);
    stream->Allocate(slot, 1 + draws.Next() % 512);
  }
}

nlohmann::ordered_json RatioJson(const TimeRatio& ratio) {
  return {{"median", ratio.median}, {"low", ratio.low}, {"high", ratio.high}};
}

}  // namespace

ExperimentResult RunSpeed(const ExperimentRequest& request) {
  const std::uint32_t requests = request.quick ? 200000 : 4000000;
  OpStream churn;
  OpStream mixed;
  OpStream random_free;
  Churn(requests, &churn);
  Mixed(requests, &mixed);
  RandomFree(requests, &random_free);
  std::vector<Stream> streams{{"same-size churn", churn.Close()},
                              {"mixed", mixed.Close()},
                              {"random free", random_free.Close()}};
  std::optional<CompiledTrace> trace;
  if (!request.trace.empty()) {
    TraceReader reader(request.trace);
    trace.emplace(Compile(reader, Scope::kPython));
    streams.push_back({"recorded trace",
                       {.fd = trace->ops.fd(),
                        .ops = trace->ops.ops().size(),
                        .slots = trace->slots}});
  }
  ExperimentResult result;
  result.reported =
      "Nothing: a clone that is slower than the original would make every time "
      "measured beside it suspect.";
  result.measured =
      "CPython    stream            native ns  clone ns  clone/native, 95 %    "
      "  "
      "A/A, 95 %               net of the loop\n";
  int streams_measured = 0;
  int slower = 0;
  int at_most_one = 0;
  for (const Subject& subject : Subjects(request)) {
    for (const Stream& stream : streams) {
      request.Phase(subject.label + ", " + stream.name);
      const std::vector<TimedRun> runs = MeasureTimes(
          {subject.native, subject.clone, ParseAllocatorSpec("null")},
          stream.program, {.touch = Touch::kHeader}, request.rounds, kSeed);
      const TimedRun& native = runs[0];
      const TimedRun& clone = runs[1];
      const double net = *clone.net_median / *native.net_median;
      ++streams_measured;
      slower += clone.ratio.verdict == TimeVerdict::kSlower;
      at_most_one += clone.ratio.median <= 1;
      const auto interval = [](const TimeRatio& ratio) {
        return Cell(Figure(ratio.median, 3, 5) + " [" +
                        Figure(ratio.low, 3, 5) + ", " +
                        Figure(ratio.high, 3, 5) + "]",
                    24);
      };
      result.measured += Cell(subject.label, 11) + Cell(stream.name, 18) +
                         Figure(native.gross_median, 2, 9) + " " +
                         Figure(clone.gross_median, 2, 9) + "  " +
                         interval(clone.ratio) + interval(native.ratio) +
                         Figure(net, 3, 5) + "\n";
      result.raw.push_back({{"python", subject.version},
                            {"clone", subject.geometry},
                            {"stream", stream.name},
                            {"native_ns", native.gross_ns_per_event},
                            {"native_again_ns", native.again_ns_per_event},
                            {"clone_ns", clone.gross_ns_per_event},
                            {"null_ns", runs[2].gross_ns_per_event},
                            {"ratio", RatioJson(clone.ratio)},
                            {"ratio_a_a", RatioJson(native.ratio)},
                            {"ratio_net_of_the_loop", net},
                            {"verdict", TimeVerdictName(clone.ratio.verdict)}});
    }
  }
  result.meaning =
      "Of " + std::to_string(streams_measured) + " medians " +
      std::to_string(at_most_one) + " are at most 1; the clone is slower on " +
      std::to_string(slower) +
      ", counting those whose whole interval lies above 1 and above the A/A "
      "arm's.";
  return result;
}

}  // namespace arenalab
