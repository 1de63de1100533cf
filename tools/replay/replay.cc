// The phases in their order, and what each allocator of -a needs of them.
#include "tools/replay/replay.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "allocators/pymalloc/generation.h"
#include "tools/replay/allocator_spec.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tools/replay/placements.h"
#include "tools/replay/results.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr std::string_view kPymalloc = "pymalloc";
constexpr std::string_view kBump = "bump";
// The order of the rounds is drawn from it: the same for everybody.
constexpr std::uint64_t kRoundsSeed = 1;

std::string CanonicalGeometry(const std::string& name,
                              const std::string& whence) {
  const std::optional<std::string_view> canonical = ResolveGeometry(name);
  if (canonical.has_value()) return std::string(*canonical);
  std::string known;
  for (const std::string_view generation : kGenerationNames) {
    known += " " + std::string(generation);
  }
  throw InputError(whence + ": unknown geometry '" + name +
                   "'; a release as cpython-3.12, or one of" + known);
}

// What `pymalloc{geometry:X}` says, or `otherwise`.
std::string GeometryOfSpec(const AllocatorSpec& spec,
                           const std::string& otherwise) {
  if (spec.settings.empty()) return otherwise;
  constexpr std::string_view kKey = "geometry:";
  if (spec.settings.rfind(kKey, 0) != 0 ||
      spec.settings.find(',') != std::string::npos) {
    throw InputError(spec.spelled +
                     ": the model knows one setting of pymalloc, "
                     "geometry:NAME");
  }
  return CanonicalGeometry(spec.settings.substr(kKey.size()), spec.spelled);
}

class Replayer {
 public:
  explicit Replayer(const ReplayRequest& request)
      : request_(request), reader_(request.trace) {}

  nlohmann::ordered_json Run() {
    ChooseGeometry();
    ListAllocators();
    Phase("reading the trace");
    trace_ = Compile(reader_, request_.scope);
    samples_ = ChooseSamples(trace_, GeometryOf(geometry_)->max_small_bytes,
                             request_.samples);
    Warn();
    RunModels();
    MeasureAll();
    return MakeResults(Input());
  }

 private:
  void Phase(const std::string& name) {
    if (request_.phase) request_.phase(name);
  }

  void ChooseGeometry() {
    const std::string recorded = reader_.Meta("geometry");
    if (!recorded.empty()) {
      recorded_ = CanonicalGeometry(recorded, reader_.path());
    }
    if (!request_.geometry.empty()) {
      geometry_ = CanonicalGeometry(request_.geometry, "--geometry");
    } else if (!recorded.empty()) {
      geometry_ = recorded_;
    } else {
      geometry_ = CanonicalGeometry(kDefaultGeometry, "default");
      warnings_.push_back(
          std::string("the trace names no geometry: pymalloc is that of ") +
          kDefaultGeometry + "; --geometry chooses another");
    }
  }

  void ListAllocators() {
    const std::string& list =
        request_.allocators.empty() ? kDefaultAllocators : request_.allocators;
    for (AllocatorSpec& spec : ParseAllocatorList(list)) {
      ReplayedAllocator allocator;
      if (spec.name == kPymalloc) {
        allocator.generation = GeometryOfSpec(spec, geometry_);
        spec.settings = "geometry:" + allocator.generation;
      }
      // Settings that mean nothing are told before a long trace is read.
      allocator.identity = ProbeAllocator(spec);
      allocator.spec = std::move(spec);
      allocators_.push_back(std::move(allocator));
    }
  }

  void Warn() {
    const auto warn = [&](std::string text) {
      warnings_.push_back(std::move(text));
    };
    if (!reader_.complete()) {
      warn(
          "the trace has no end mark: the recording was cut off, what "
          "follows is about the part that is there");
    }
    if (reader_.totals().lost > 0) {
      warn(std::to_string(reader_.totals().lost) +
           " events were lost while recording");
    }
    if (const std::string parent = reader_.Meta("parent"); !parent.empty()) {
      warn("the process is a fork's child (" + parent +
           "): what it inherited is not replayed");
    }
    if (trace_.unknown_frees > 0) {
      warn(std::to_string(trace_.unknown_frees) +
           " frees of blocks that the trace never saw made were left out");
    }
    if (trace_.unknown_reallocs > 0) {
      warn(std::to_string(trace_.unknown_reallocs) +
           " reallocs of blocks that the trace never saw made were taken for "
           "allocations");
    }
    if (trace_.double_allocations > 0) {
      warn(std::to_string(trace_.double_allocations) +
           " addresses were handed out twice: arenalab trace lint says which");
    }
    if (trace_.states > 1) {
      warn(std::to_string(trace_.states) +
           " interpreters have heaps of their own: they are replayed in one");
    }
  }

  // Recorded bases for the recorded generation, else the caller's, else 0.
  std::vector<std::size_t> OffsetsFor(const std::string& generation) const {
    if (!request_.arena_offsets.empty()) return request_.arena_offsets;
    std::vector<std::size_t> offsets;
    if (generation != recorded_) return offsets;
    const GeometryValues geometry = *GeometryOf(generation);
    for (const RecordedArena& arena : trace_.arenas) {
      // Other sizes are not arenas: since 3.11 the frame stack's chunks come
      // from the same source.
      if (arena.size_bytes == geometry.arena_bytes) {
        offsets.push_back(arena.address & (geometry.pool_bytes - 1));
      }
    }
    return offsets;
  }

  bool Exact(const std::string& generation) const {
    return generation == recorded_ && request_.arena_offsets.empty() &&
           reader_.Meta("addresses") != "none" && trace_.states <= 1 &&
           trace_.unknown_frees == 0 && trace_.unknown_reallocs == 0 &&
           trace_.double_allocations == 0 && reader_.totals().lost == 0 &&
           reader_.Meta("parent").empty();
  }

  ModelRun Model(const std::string& generation, PlacementsFile* placements) {
    ModelOptions options;
    options.arena_offsets = OffsetsFor(generation);
    const std::size_t pool_bytes = GeometryOf(generation)->pool_bytes;
    for (const std::size_t offset : options.arena_offsets) {
      if (offset >= pool_bytes || offset % 16 != 0) {
        throw InputError("--arena-offsets: " + std::to_string(offset) +
                         " is no multiple of 16 below the pool size, " +
                         std::to_string(pool_bytes));
      }
    }
    options.page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    options.placements = placements;
    return RunModel(generation, trace_, samples_, options);
  }

  void RunModels() {
    std::optional<PlacementsFile> placements;
    if (!request_.placements.empty()) placements.emplace(request_.placements);
    PlacementsFile* file = placements ? &*placements : nullptr;
    for (ReplayedAllocator& allocator : allocators_) {
      if (allocator.generation.empty()) continue;
      Phase("modelling pymalloc of " + allocator.generation);
      allocator.exact = Exact(allocator.generation);
      allocator.model =
          Model(allocator.generation, std::exchange(file, nullptr));
    }
    if (placements.has_value()) {
      if (file != nullptr) {
        throw InputError("--placements: no pymalloc among the allocators");
      }
      placements->Close();
    }
    // Limits are told at the recorded geometry, whoever is compared.
    for (const ReplayedAllocator& allocator : allocators_) {
      if (allocator.generation == geometry_) {
        reference_ = &*allocator.model;
        return;
      }
    }
    Phase("modelling pymalloc of " + geometry_);
    own_reference_ = Model(geometry_, nullptr);
    reference_ = &*own_reference_;
  }

  // Why an allocator is not run in a worker; nullopt: it is.
  std::optional<std::string> Unmeasurable(
      const ReplayedAllocator& allocator) const {
    if (trace_.steps == 0) return "the trace holds no request";
    if (!allocator.generation.empty() && trace_.scope != Scope::kPython) {
      return "its heap would serve raw requests too, which pymalloc does not";
    }
    const std::uint64_t memory =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
        static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    if (allocator.spec.name == kBump &&
        samples_.timeline.allocated_bytes.back() > memory / 4) {
      return "it never reuses, and the trace allocates more than a quarter of "
             "this machine's memory";
    }
    return std::nullopt;
  }

  void MeasureAll() {
    std::vector<ReplayedAllocator*> measured;
    for (ReplayedAllocator& allocator : allocators_) {
      if (const auto why = Unmeasurable(allocator)) {
        warnings_.push_back(allocator.spec.spelled +
                            " is not measured: " + *why);
      } else {
        measured.push_back(&allocator);
      }
    }
    if (measured.empty()) return;
    MeasureResidentMemory(measured);
    if (request_.repetitions > 0) MeasureRounds(measured);
  }

  void MeasureResidentMemory(const std::vector<ReplayedAllocator*>& measured) {
    const OpFile file = WithSamples(trace_, samples_.timeline.steps);
    const OpsProgram program{
        .fd = file.fd(),
        .ops = file.ops().size(),
        .slots = trace_.slots,
        .samples = static_cast<std::uint32_t>(samples_.timeline.steps.size())};
    for (ReplayedAllocator* allocator : measured) {
      Phase("memory of " + allocator->spec.spelled);
      allocator->memory =
          MeasureMemory(allocator->spec, program,
                        {.touch = kMemoryTouch, .clock = request_.clock});
    }
  }

  void MeasureRounds(std::vector<ReplayedAllocator*> measured) {
    // Times are told against the first pymalloc, if there is one.
    std::stable_partition(measured.begin(), measured.end(),
                          [](const ReplayedAllocator* allocator) {
                            return !allocator->generation.empty();
                          });
    std::vector<AllocatorSpec> specs;
    for (const ReplayedAllocator* allocator : measured)
      specs.push_back(allocator->spec);
    const OpsProgram program{.fd = trace_.ops.fd(),
                             .ops = trace_.ops.ops().size(),
                             .slots = trace_.slots};
    Phase("times, " + std::to_string(request_.repetitions) + " rounds");
    std::vector<TimedRun> runs = MeasureTimes(
        specs, program, {.touch = request_.touch}, request_.repetitions,
        kRoundsSeed,
        [](void* self, int done, int total) {
          static_cast<Replayer*>(self)->Round(done, total);
        },
        this);
    for (std::size_t i = 0; i < runs.size(); ++i)
      measured[i]->time = std::move(runs[i]);
  }

  // A line a run would drown a log.
  void Round(int done, int total) {
    if (request_.progress) request_.progress("times", done, total);
  }

  ResultsInput Input() {
    ResultsInput input;
    input.command = request_.command;
    input.verify = request_.verify;
    input.reader = &reader_;
    input.trace = &trace_;
    input.samples = &samples_;
    input.reference = reference_;
    input.warnings = warnings_;
    input.touch = TouchName(request_.touch);
    input.memory_touch = TouchName(kMemoryTouch);
    input.clock = request_.clock == ReplayClock::kStopped ? "clock stopped"
                                                          : "as recorded";
    input.repetitions = request_.repetitions;
    input.allocators = std::move(allocators_);
    return input;
  }

  // C is about programs that use what they asked for; and only so are the
  // model's pages and the kernel's the same.
  static constexpr Touch kMemoryTouch = Touch::kFill;

  const ReplayRequest& request_;
  TraceReader reader_;
  std::string recorded_;  // canonical; "" where the trace does not say
  std::string geometry_;  // canonical; of plain `pymalloc`
  std::vector<std::string> warnings_;
  std::vector<ReplayedAllocator> allocators_;
  CompiledTrace trace_;
  Samples samples_;
  std::optional<ModelRun> own_reference_;
  const ModelRun* reference_ = nullptr;
};

}  // namespace

nlohmann::ordered_json Replay(const ReplayRequest& request) {
  return Replayer(request).Run();
}

}  // namespace arenalab
