// The phases in their order, and what each allocator of -a needs of them.
#include "tools/replay/replay.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "allocators/pymalloc/runtime_generation.h"
#include "tools/replay/allocator_spec.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tools/replay/native_placements.h"
#include "tools/replay/native_spec.h"
#include "tools/replay/oracle.h"
#include "tools/replay/placements.h"
#include "tools/replay/process_run.h"
#include "tools/replay/results.h"
#include "tools/verify/lineage.h"
#include "tools/verify/verify.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr std::string_view kPymalloc = "pymalloc";
constexpr std::string_view kBump = "bump";
constexpr std::string_view kNative = "native";
// The order of the rounds is drawn from it: the same for everybody.
constexpr std::uint64_t kRoundsSeed = 1;
// As many as a trace of three million requests can have.
constexpr std::size_t kMostObjects = 1'500'000;
// Of the list that all allocators' places are about.
constexpr std::size_t kMostLive = 600'000;
// A worker tells eight bytes for each that returns a block.
constexpr std::uint64_t kMostPlacedSteps = 100'000'000;

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

// pymalloc's settings with their geometry spelled out, first and canonical:
// `keep_arenas:0` -> `geometry:cpython-3.11,keep_arenas:0`.
struct PymallocSettings {
  std::string geometry;
  std::string text;
};

PymallocSettings SettingsOf(const AllocatorSpec& spec,
                            const std::string& otherwise) {
  constexpr std::string_view kKey = "geometry:";
  PymallocSettings settings{otherwise, ""};
  std::istringstream entries(spec.settings);
  for (std::string entry; std::getline(entries, entry, ',');) {
    if (entry.starts_with(kKey)) {
      settings.geometry =
          CanonicalGeometry(entry.substr(kKey.size()), spec.spelled);
    } else {
      settings.text += "," + entry;
    }
  }
  settings.text = std::string(kKey) + settings.geometry + settings.text;
  return settings;
}

HeapSettings ValuesOf(const std::string& settings) {
  HeapSettings values;
  if (const char* error = ReadHeapSettings(settings, &values)) {
    throw InputError("pymalloc{" + settings + "}: " + error);
  }
  return values;
}

class Replayer {
 public:
  explicit Replayer(const ReplayRequest& request)
      : request_(request), reader_(request.trace) {}

  nlohmann::ordered_json Run() {
    ChooseGeometry();
    ListAllocators();
    Phase("reading the trace");
    trace_ = Compile(reader_, request_.scope, Ancestors());
    if (request_.litter.has_value()) {
      trace_ = Aged(std::move(trace_), *request_.litter);
    }
    samples_ = ChooseSamples(trace_, GeometryOf(geometry_)->max_small_bytes,
                             request_.samples);
    Warn();
    PlaceNatives();
    RunModels();
    if (request_.oracle) {
      Phase("packing with foresight");
      oracle_ = PackWithForesight(trace_, samples_.timeline.steps);
    }
    MeasureAll();
    nlohmann::ordered_json results = MakeResults(Input());
    results["processes"] = ProcessesOf(request_.trace);
    return results;
  }

 private:
  void Phase(const std::string& name) {
    if (request_.phase) request_.phase(name);
  }

  // Of a fork's child; none, with a warning, where a parent's trace is missing.
  std::vector<Inheritance> Ancestors() {
    std::vector<Inheritance> ancestors;
    try {
      for (const Ancestor& ancestor : LineageOf(request_.trace))
        ancestors.push_back({ancestor.path, ancestor.fork});
      ancestors.pop_back();  // the trace itself
    } catch (const InputError& error) {
      disinherited_ = true;
      warnings_.push_back(std::string(error.what()) +
                          "; what the process inherited is not replayed");
    }
    return ancestors;
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
        const PymallocSettings settings = SettingsOf(spec, geometry_);
        allocator.geometry = settings.geometry;
        spec.settings = settings.text;
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

  // The caller's; else the recorded bases where arenas are of the recorded
  // size, else 0.
  std::vector<std::size_t> OffsetsFor(const GeometryValues& geometry) const {
    if (!request_.arena_offsets.empty()) return request_.arena_offsets;
    return RecordedOffsets(trace_, geometry);
  }

  // A real interpreter gets its arenas where the model of its release has them.
  void PlaceNatives() {
    for (ReplayedAllocator& allocator : allocators_) {
      if (allocator.spec.name != kNative) continue;
      const auto geometry =
          GeometryOf(GeometryNameOfVersion(allocator.identity.version));
      PlaceNativeArenas(
          OffsetsFor(geometry.value_or(*GeometryOf(kDefaultGeometry))),
          &allocator.spec);
    }
  }

  // Whether these settings are the interpreter's own, in every respect that
  // this replay knows of; what the addresses say is Verify()'s.
  bool IsRecorded(const std::string& settings) const {
    return !recorded_.empty() && settings == "geometry:" + recorded_ &&
           request_.arena_offsets.empty() && !request_.litter.has_value() &&
           reader_.Meta("addresses") != "none" && trace_.states <= 1 &&
           !disinherited_;
  }

  ModelRun Model(const std::string& settings, PlacementsFile* placements,
                 std::size_t most_objects) {
    const GeometryValues geometry = ValuesOf(settings).geometry;
    const std::size_t pool_bytes = geometry.pool_bytes;
    ModelOptions options;
    options.arena_offsets = OffsetsFor(geometry);
    for (const std::size_t offset : options.arena_offsets) {
      if (offset >= pool_bytes || offset % 16 != 0) {
        throw InputError("--arena-offsets: " + std::to_string(offset) +
                         " is no multiple of 16 below the pool size, " +
                         std::to_string(pool_bytes));
      }
    }
    options.page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    options.placements = placements;
    options.most_objects = most_objects;
    options.mesh = settings == "geometry:" + geometry_;
    return RunModel(settings, trace_, samples_, options);
  }

  void RunModels() {
    std::optional<PlacementsFile> placements;
    if (!request_.placements.empty()) placements.emplace(request_.placements);
    PlacementsFile* file = placements ? &*placements : nullptr;
    std::size_t most_objects = kMostObjects;
    bool recorded = false;
    for (ReplayedAllocator& allocator : allocators_) {
      if (allocator.spec.name == kNative && file != nullptr) {
        Phase("placements of " + allocator.spec.spelled);
        WriteNativePlacements(allocator.spec, trace_,
                              std::exchange(file, nullptr));
      }
      if (allocator.geometry.empty()) continue;
      Phase("modelling " + allocator.spec.spelled);
      // The objects of one model only: the page would be too large.
      allocator.model =
          Model(allocator.spec.settings, std::exchange(file, nullptr),
                std::exchange(most_objects, 0));
      recorded = recorded || IsRecorded(allocator.spec.settings);
    }
    if (placements.has_value()) {
      if (file != nullptr) {
        throw InputError(
            "--placements: neither pymalloc nor native among the allocators");
      }
      placements->Close();
    }
    if (recorded) VerifyRecording();
    ChooseReference();
  }

  // Only what was compared address by address is called exact.
  void VerifyRecording() {
    verify_ = request_.verify;
    if (verify_.is_null()) {
      Phase("verifying the recording");
      verify_ =
          nlohmann::ordered_json::parse(VerifyJson(Verify(request_.trace, {})));
    }
    const std::string status = verify_.at("status").get<std::string>();
    for (ReplayedAllocator& allocator : allocators_) {
      allocator.exact =
          status == "equal" && IsRecorded(allocator.spec.settings);
    }
    if (status == "mismatch") {
      warnings_.push_back(
          "the clone and the recording differ: arenalab verify says where");
    } else if (status == "cannot") {
      warnings_.push_back("the recording cannot be verified: " +
                          verify_.at("reason").get<std::string>());
    }
  }

  // Limits are told at the recorded geometry, whoever is compared.
  void ChooseReference() {
    const std::string settings = "geometry:" + geometry_;
    for (const ReplayedAllocator& allocator : allocators_) {
      if (allocator.model && allocator.model->settings == settings) {
        reference_ = &*allocator.model;
        return;
      }
    }
    Phase("modelling pymalloc of " + geometry_);
    own_reference_ = Model(settings, nullptr, 0);
    reference_ = &*own_reference_;
  }

  // Why an allocator is not run in a worker; nullopt: it is.
  std::optional<std::string> Unmeasurable(
      const ReplayedAllocator& allocator) const {
    if (trace_.steps == 0) return "the trace holds no request";
    if ((!allocator.geometry.empty() || allocator.spec.name == kNative) &&
        trace_.scope != Scope::kPython) {
      return "its heap would serve raw requests too, which pymalloc does not";
    }
    HeapSettings settings{};
    if (!allocator.geometry.empty() &&
        ReadHeapSettings(allocator.spec.settings, &settings) == nullptr &&
        settings.policy.lanes != LaneChoice::kNone) {
      return "its lanes ask for more of a request than a worker is told; the "
             "model's figures stand";
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
    if (request_.latency_one_in == 0) return;
    for (ReplayedAllocator* allocator : measured) {
      Phase("latency of " + allocator->spec.spelled);
      allocator->latency =
          MeasureLatency(allocator->spec, Timed(), {.touch = request_.touch},
                         request_.latency_one_in);
    }
  }

  OpsProgram Timed() const {
    return {.fd = trace_.ops.fd(),
            .ops = trace_.ops.ops().size(),
            .slots = trace_.slots};
  }

  void MeasureResidentMemory(const std::vector<ReplayedAllocator*>& measured) {
    const OpFile file = WithSamples(trace_, samples_.timeline.steps);
    const OpsProgram program{
        .fd = file.fd(),
        .ops = file.ops().size(),
        .slots = trace_.slots,
        .samples = static_cast<std::uint32_t>(samples_.timeline.steps.size())};
    ListLiveObjects();
    for (ReplayedAllocator* allocator : measured) {
      Phase("memory of " + allocator->spec.spelled);
      const bool placed = live_ && HasPlaces(allocator->spec);
      allocator->memory = MeasureMemory(
          allocator->spec, program,
          {.touch = kMemoryTouch, .addresses = placed ? live_->makers : 0});
      if (placed) {
        allocator->places = EncodePlaces(
            *live_, std::exchange(allocator->memory->addresses, {}));
      }
      if (!GivesBackByTheClock(allocator->spec)) continue;
      if (request_.idled_clock) {
        Phase("memory of " + allocator->spec.spelled + ", really idling");
        allocator->idled = MeasureMemory(
            allocator->spec, program,
            {.touch = kMemoryTouch, .clock = ReplayClock::kIdled});
      }
      Phase("memory of " + allocator->spec.spelled + ", recorded clock");
      allocator->recorded = MeasureMemory(
          allocator->spec, program,
          {.touch = kMemoryTouch, .clock = ReplayClock::kRecorded});
    }
  }

  // Of the rest the page has a map already, or there is nothing to be seen.
  static bool HasPlaces(const AllocatorSpec& spec) {
    return spec.name != kBump && spec.name != "null";
  }

  // Where the others put each object: their map.
  void ListLiveObjects() {
    if (trace_.steps > kMostPlacedSteps) {
      warnings_.push_back(
          "the maps of other allocators are left out: the trace has more "
          "than " +
          std::to_string(kMostPlacedSteps) + " requests");
      return;
    }
    std::vector<std::size_t> moments = samples_.moments.valleys;
    moments.push_back(samples_.moments.peak);
    moments.push_back(samples_.moments.end);
    live_ = ListLive(trace_, samples_.timeline.steps, std::move(moments),
                     kMostLive);
  }

  // A library by path may; the others of the registry never ask for the time.
  bool GivesBackByTheClock(const AllocatorSpec& spec) const {
    return request_.recorded_clock && trace_.duration_ns > 0 &&
           (spec.name == "mimalloc" || spec.name == "jemalloc" ||
            !spec.library.empty());
  }

  void MeasureRounds(std::vector<ReplayedAllocator*> measured) {
    // Times are told against the first pymalloc, if there is one.
    std::stable_partition(measured.begin(), measured.end(),
                          [](const ReplayedAllocator* allocator) {
                            return !allocator->geometry.empty();
                          });
    std::vector<AllocatorSpec> specs;
    for (const ReplayedAllocator* allocator : measured)
      specs.push_back(allocator->spec);
    const OpsProgram program = Timed();
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
    input.verify = verify_;
    input.reader = &reader_;
    input.trace = &trace_;
    input.samples = &samples_;
    input.reference = reference_;
    input.geometry = geometry_;
    input.oracle = std::move(oracle_);
    input.litter = request_.litter;
    input.warnings = warnings_;
    input.touch = TouchName(request_.touch);
    input.memory_touch = TouchName(kMemoryTouch);
    input.repetitions = request_.repetitions;
    input.allocators = std::move(allocators_);
    if (live_) input.live = &*live_;
    return input;
  }

  // C is about programs that use what they asked for; and only so are the
  // model's pages and the kernel's the same.
  static constexpr Touch kMemoryTouch = Touch::kFill;

  const ReplayRequest& request_;
  TraceReader reader_;
  std::string recorded_;       // canonical; "" where the trace does not say
  std::string geometry_;       // canonical; of plain `pymalloc`
  bool disinherited_ = false;  // a parent's trace is missing
  std::vector<std::string> warnings_;
  std::vector<ReplayedAllocator> allocators_;
  CompiledTrace trace_;
  Samples samples_;
  nlohmann::ordered_json verify_;
  std::optional<ModelRun> own_reference_;
  const ModelRun* reference_ = nullptr;
  std::optional<Oracle> oracle_;
  std::optional<LiveList> live_;
};

}  // namespace

nlohmann::ordered_json Replay(const ReplayRequest& request) {
  return Replayer(request).Run();
}

}  // namespace arenalab
