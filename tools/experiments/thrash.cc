// X1 and E5: an arena is full to its last block, and a loop asks for one block
// more and gives it back. Releases before 3.9 give the new arena back with it;
// from 3.9 on one wholly free arena is kept.
#include <optional>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/size_class.h"
#include "tools/experiments/experiment.h"
#include "tools/experiments/op_stream.h"
#include "tools/experiments/subjects.h"
#include "tools/replay/measure.h"

namespace arenalab {
namespace {

constexpr std::uint32_t kBytes = 512;
constexpr std::uint32_t kIterations = 1000;

// Blocks of 512 bytes that fill this allocator's first arena. Where its base is
// not aligned to the pool, one pool is lost to that.
std::uint32_t BlocksPerArena(const AllocatorSpec& spec,
                             const GeometryValues& geometry) {
  const auto pools = static_cast<std::uint32_t>(PoolsPerArena(geometry));
  const auto blocks = static_cast<std::uint32_t>(
      BlocksPerPool(geometry, ClassOf(geometry, kBytes)));
  const std::uint32_t unaligned = (pools - 1) * blocks;
  OpStream stream;
  for (std::uint32_t slot = 0; slot <= unaligned; ++slot)
    stream.Allocate(slot, kBytes);
  stream.At();
  const MemoryRun run =
      MeasureMemory(spec, stream.Close(), {.touch = Touch::kNone});
  return run.samples.back().heap.arenas_created == 1 ? pools * blocks
                                                     : unaligned;
}

struct Thrash {
  std::int64_t created;
  std::int64_t released;
  // Of one iteration, the arena's filling included.
  std::optional<double> nanoseconds;
};

Thrash Measure(const AllocatorSpec& spec, const std::string& geometry,
               int rounds) {
  const std::uint32_t fill = BlocksPerArena(spec, *GeometryOf(geometry));
  OpStream stream;
  for (std::uint32_t slot = 0; slot < fill; ++slot)
    stream.Allocate(slot, kBytes);
  for (std::uint32_t i = 0; i < kIterations; ++i) {
    stream.Allocate(fill, kBytes);
    stream.Free(fill);
  }
  stream.At();
  const OpsProgram program = stream.Close();
  const HeapSnapshot heap =
      MeasureMemory(spec, program, {.touch = Touch::kHeader})
          .samples.back()
          .heap;
  Thrash thrash{heap.arenas_created, heap.arenas_released, std::nullopt};
  // Timed runs have a random layout: where pools are larger than a page, the
  // clone's arena may have one pool more than above, and the loop room in it.
  if (spec.name == "native" || GeometryOf(geometry)->pool_bytes == 4096) {
    thrash.nanoseconds =
        MeasureTimes({spec}, program, {}, rounds, 1)[0].gross_median *
        static_cast<double>(stream.requests()) / kIterations;
  }
  return thrash;
}

}  // namespace

ExperimentResult RunThrash(const ExperimentRequest& request) {
  ExperimentResult result;
  result.reported =
      "One arena created and destroyed per iteration before 3.9, at most one "
      "spare since (bpo-37257): 1,001 arenas for 1,000 iterations, then 2.";
  result.measured =
      "allocator                 arenas created  released  "
      "ns an iteration (the first arena's filling included)\n";
  const auto row = [&](const std::string& name, const AllocatorSpec& spec,
                       const std::string& geometry) {
    request.Phase(name);
    const Thrash thrash =
        Measure(spec, geometry, request.quick ? 1 : request.rounds);
    result.measured += Cell(name, 26) +
                       Figure(static_cast<double>(thrash.created), 0, 14) +
                       Figure(static_cast<double>(thrash.released), 0, 10) +
                       (thrash.nanoseconds ? Figure(*thrash.nanoseconds, 0, 17)
                                           : Cell("", 14) + "n/a") +
                       "\n";
    result.raw.push_back({{"allocator", name},
                          {"geometry", geometry},
                          {"iterations", kIterations},
                          {"arenas_created", thrash.created},
                          {"arenas_released", thrash.released},
                          {"ns_per_iteration", nullptr}});
    if (thrash.nanoseconds) {
      result.raw.back()["ns_per_iteration"] = *thrash.nanoseconds;
    }
  };
  for (const Subject& subject : Subjects(request))
    row("CPython " + subject.label, subject.native, subject.geometry);
  for (const char* geometry :
       {"classic", "cpython-3.8", "cpython-3.9", "cpython-3.11"}) {
    const std::string settings = std::string("geometry:") + geometry;
    row(std::string("clone ") + geometry, CloneOf(settings), geometry);
  }
  row("clone 3.11, keep none", CloneOf("geometry:cpython-3.11,keep_arenas:0"),
      "cpython-3.11");
  row("clone 3.8, keep one", CloneOf("geometry:cpython-3.8,keep_arenas:1"),
      "cpython-3.8");
  result.meaning =
      "The one kept arena is what ends the thrashing, and it alone: with it "
      "3.8 "
      "stands still, without it 3.11 thrashes. What it costs is an arena, "
      "held.";
  return result;
}

}  // namespace arenalab
