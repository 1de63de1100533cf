// From the runs to JSON, part by part in the order of RESULTS.md.
#include "tools/replay/results.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "allocators/pymalloc/size_class.h"
#include "tools/replay/limits.h"
#include "tools/replay/machine.h"
#include "tools/replay/results_file.h"
#include "tools/replay/summary.h"
#include "tools/replay/verdict.h"
#include "tools/replay/waterfall.h"
#include "tools/version.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint64_t>;

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json Trace(const ResultsInput& input) {
  const TraceReader& reader = *input.reader;
  const CompiledTrace& trace = *input.trace;
  constexpr const char* kKinds[] = {"alloc", "zeroed", "aligned", "realloc",
                                    "free"};
  constexpr const char* kLayers[] = {"raw", "mem", "obj", "libc"};
  Json by_kind;
  for (std::size_t i = 0; i < trace.by_kind.size(); ++i)
    by_kind[kKinds[i]] = trace.by_kind[i];
  Json by_layer;
  for (std::size_t i = 0; i < trace.by_layer.size(); ++i)
    by_layer[kLayers[i]] = trace.by_layer[i];
  return {{"file", reader.path()},
          {"hash", reader.ContentHash()},
          {"requests", trace.requests},
          {"replayed", trace.steps - trace.inherited_steps},
          {"inherited", trace.inherited_steps},
          {"program", TextOrNull(reader.Meta("program"))},
          {"python", TextOrNull(reader.Meta("python"))},
          {"geometry", TextOrNull(reader.Meta("geometry"))},
          {"process", TextOrNull(reader.Meta("process"))},
          {"allocator", TextOrNull(reader.Meta("allocator"))},
          {"started", TextOrNull(reader.Meta("started"))},
          {"duration_ns", trace.duration_ns},
          {"threads", trace.threads},
          {"lost", reader.totals().lost},
          {"waited_ns", reader.totals().waited_ns},
          {"by_kind", by_kind},
          {"by_layer", by_layer},
          {"warnings", input.warnings}};
}

Json Limits(const ResultsInput& input) {
  const Timeline& timeline = input.samples->timeline;
  const ModelRun& model = *input.reference;
  Bytes page_load, repack, arenas;
  for (const std::uint64_t bytes : timeline.requested_bytes)
    page_load.push_back(
        PageLoad(bytes, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))));
  for (const ModelSample& sample : model.samples) {
    repack.push_back(ClassRepack(model.geometry, sample.used_blocks));
    arenas.push_back(ClassRepackArenas(model.geometry, repack.back()));
  }
  return {{"generation", input.geometry},
          {"load", timeline.requested_bytes},
          {"load_small", timeline.requested_small_bytes},
          {"page_load", page_load},
          {"class_repack", repack},
          {"class_repack_arenas", arenas},
          {"segregation_bytes", model.segregation_bytes}};
}

// The curves of one allocator, each absent where it is not known.
struct Curves {
  std::optional<Bytes> held;
  std::optional<Bytes> committed;
  std::optional<Bytes> rss;
  std::optional<Bytes> rss_recorded;
};

// What the requests brought, at each sample.
Bytes ResidentOf(const MemoryRun& run) {
  Bytes bytes;
  for (const ReplaySample& sample : run.samples) {
    bytes.push_back(static_cast<std::uint64_t>(std::max<std::int64_t>(
        0, sample.anonymous_bytes - run.start.anonymous_bytes)));
  }
  return bytes;
}

Curves CurvesOf(const ReplayedAllocator& allocator) {
  Curves curves;
  if (allocator.memory.has_value()) {
    const MemoryRun& run = *allocator.memory;
    curves.rss = ResidentOf(run);
    Bytes held;
    bool tells = true;
    for (const ReplaySample& sample : run.samples) {
      tells = tells && sample.heap.held_bytes != kUnknown;
      held.push_back(static_cast<std::uint64_t>(sample.heap.held_bytes));
    }
    curves.committed = curves.rss;
    if (tells) curves.held = std::move(held);
  }
  if (allocator.recorded.has_value()) {
    curves.rss_recorded = ResidentOf(*allocator.recorded);
  }
  if (allocator.model.has_value()) {
    curves.held.emplace();
    curves.committed.emplace();
    for (const ModelSample& sample : allocator.model->samples) {
      curves.held->push_back(sample.waterfall.held_bytes());
      curves.committed->push_back(sample.committed_bytes);
    }
  }
  return curves;
}

Json WaterfallOf(const ModelRun& model) {
  Json bytes = Json::array();
  for (const ModelSample& sample : model.samples)
    bytes.push_back(sample.waterfall.bytes);
  return {{"parts", kWaterfallParts}, {"bytes", bytes}};
}

Json Large(const ModelRun& model, const Curves& curves) {
  Bytes requested;
  Bytes resident;
  for (std::size_t i = 0; i < model.samples.size(); ++i) {
    requested.push_back(model.samples[i].large_requested_bytes);
    if (!curves.rss.has_value()) continue;
    const std::uint64_t rss = (*curves.rss)[i];
    const std::uint64_t small = (*curves.committed)[i];
    resident.push_back(rss > small ? rss - small : 0);
  }
  return {{"requested_bytes", requested},
          {"held_bytes", nullptr},
          {"rss_bytes", curves.rss ? Json(resident) : Json(nullptr)}};
}

Json Arenas(const ModelRun& model, const Moments& moments) {
  Bytes live;
  for (const ModelSample& sample : model.samples)
    live.push_back(sample.arenas_live);
  const auto holders_at = [&](std::optional<std::size_t> sample) -> Json {
    for (const ArenaHolders& holders : model.holders) {
      if (sample == holders.sample) return holders.live_blocks;
    }
    return nullptr;
  };
  return {{"arena_bytes", model.geometry.arena_bytes},
          {"pool_bytes", model.geometry.pool_bytes},
          {"created", model.arenas_created},
          {"released", model.arenas_released},
          {"high_water", model.arenas_high_water},
          {"live_at_end", model.samples.back().arenas_live},
          {"live", live},
          {"live_blocks",
           {{"peak", holders_at(moments.peak)},
            {"last_valley", holders_at(moments.last_valley())},
            {"end", holders_at(moments.end)}}}};
}

Json ClassesAt(const ModelRun& model, std::optional<std::size_t> number) {
  if (!number.has_value()) return nullptr;
  const ModelSample& sample = model.samples[*number];
  Bytes free_blocks;
  for (std::size_t c = 0; c < sample.pools.size(); ++c) {
    free_blocks.push_back(std::uint64_t{sample.pools[c]} *
                              BlocksPerPool(model.geometry, c) -
                          sample.used_blocks[c]);
  }
  return {{"pools", sample.pools},
          {"used_blocks", sample.used_blocks},
          {"free_blocks", free_blocks}};
}

Json Classes(const ModelRun& model, const Moments& moments) {
  Bytes sizes;
  for (std::size_t c = 0; c < model.geometry.classes; ++c)
    sizes.push_back(BlockSize(model.geometry, c));
  return {{"size_bytes", sizes},
          {"peak", ClassesAt(model, moments.peak)},
          {"last_valley", ClassesAt(model, moments.last_valley())},
          {"end", ClassesAt(model, moments.end)}};
}

// Told sample by sample only where some are left out.
Json Told(const std::vector<std::size_t>& told, const ModelRun& model) {
  return told.size() == model.samples.size() ? Json(nullptr) : Json(told);
}

Json MapOf(const ModelRun& model) {
  return {{"encoding", "varint+gzip+base64"},
          {"arena_bytes", model.geometry.arena_bytes},
          {"pool_bytes", model.geometry.pool_bytes},
          {"alignment", model.geometry.alignment},
          {"classes", model.geometry.classes},
          {"header_bytes", model.geometry.header_bytes},
          {"samples", model.samples.size()},
          {"told", Told(model.map_told, model)},
          {"data", model.map}};
}

Json ObjectsOf(const ModelRun& model, const CompiledTrace& trace) {
  if (!model.objects.has_value()) return nullptr;
  const auto names = [](const std::vector<std::string>& list) {
    return list.empty() ? Json(nullptr) : Json(list);
  };
  return {{"encoding", "varint+gzip+base64"},
          {"samples", model.samples.size()},
          {"count", model.objects->count},
          {"told", Told(model.objects->told, model)},
          {"types", names(trace.type_names)},
          {"sites", names(trace.site_names)},
          {"data", model.objects->data}};
}

Json ExampleOf(const ModelRun& model) {
  if (!model.example.has_value()) return nullptr;
  const PoolExample& example = *model.example;
  return {{"sample", example.sample},
          {"pool", example.pool},
          {"class", example.size_class + 1},
          {"live_blocks", example.live_blocks},
          {"carved_blocks", example.carved_blocks},
          {"free_list", example.free_list}};
}

// Where the recording's arenas lay, by ordinal, if the model's are those.
Json AddressesOf(const ModelRun& model, const CompiledTrace& trace) {
  Bytes addresses;
  for (const RecordedArena& arena : trace.arenas) {
    if (arena.size_bytes == model.geometry.arena_bytes)
      addresses.push_back(arena.address);
  }
  if (addresses.size() != model.arenas_created) return nullptr;
  return addresses;
}

void AddMoments(Json* summary, const char* curve,
                const std::optional<Bytes>& bytes, const Moments& moments) {
  const auto at = [&](std::optional<std::size_t> sample) -> Json {
    if (!bytes.has_value() || !sample.has_value()) return nullptr;
    return (*bytes)[*sample];
  };
  const std::string name = std::string(curve) + "_bytes";
  (*summary)["peak_" + name] =
      bytes.has_value() ? Json(*std::max_element(bytes->begin(), bytes->end()))
                        : Json(nullptr);
  (*summary)["last_valley_" + name] = at(moments.last_valley());
  (*summary)["end_" + name] = at(moments.end);
}

void AddFragmentation(Json* summary, const std::string& suffix,
                      const Timeline& timeline, const Bytes& requested,
                      const std::optional<Bytes>& held) {
  const Fragmentation numbers =
      held.has_value() ? Summarise(timeline.allocated_bytes, requested, *held)
                       : Fragmentation{};
  (*summary)["jw1" + suffix] = OrNull(numbers.jw1);
  (*summary)["jw2" + suffix] = OrNull(numbers.jw2);
  (*summary)["jw3" + suffix] = OrNull(numbers.jw3);
  (*summary)["jw4" + suffix] = OrNull(numbers.jw4);
  (*summary)["waste" + suffix] = OrNull(numbers.waste);
}

Json SummaryOf(const ReplayedAllocator& allocator, const Curves& curves,
               const Samples& samples) {
  const Timeline& timeline = samples.timeline;
  const bool small = allocator.model.has_value();
  Bytes requested = timeline.requested_bytes;
  if (small) {
    // What this geometry serves, which need not be what the recorded one did.
    requested.clear();
    for (const ModelSample& sample : allocator.model->samples)
      requested.push_back(sample.waterfall.bytes[0]);
  }
  Json summary = {{"against", small ? "small requests" : "all requests"}};
  AddMoments(&summary, "held", curves.held, samples.moments);
  AddMoments(&summary, "committed", curves.committed, samples.moments);
  AddMoments(&summary, "rss", curves.rss, samples.moments);
  AddMoments(&summary, "rss_recorded", curves.rss_recorded, samples.moments);
  AddFragmentation(&summary, "", timeline, requested, curves.held);
  AddFragmentation(&summary, "_committed", timeline, requested,
                   curves.committed);
  AddFragmentation(&summary, "_rss", timeline, timeline.requested_bytes,
                   curves.rss);
  Json retention = Json::array();
  for (const std::size_t valley : samples.moments.valleys) {
    if (!curves.held.has_value() || requested[valley] == 0) {
      retention.push_back(nullptr);
    } else {
      retention.push_back(static_cast<double>((*curves.held)[valley]) /
                          static_cast<double>(requested[valley]));
    }
  }
  summary["valley_retention"] = retention;
  summary["drain_bytes"] =
      curves.held.has_value()
          ? Json(static_cast<std::int64_t>(curves.held->back()) -
                 static_cast<std::int64_t>(curves.held->front()))
          : Json(nullptr);
  return summary;
}

Json Time(const TimedRun& run) {
  return {{"gross_ns_per_event", run.gross_ns_per_event},
          {"again_ns_per_event", run.again_ns_per_event},
          {"gross_median", run.gross_median},
          {"net_median", OrNull(run.net_median)},
          {"ratio_to_pymalloc",
           {{"median", run.ratio.median},
            {"low", run.ratio.low},
            {"high", run.ratio.high},
            {"verdict", TimeVerdictName(run.ratio.verdict)}}}};
}

Json Allocator(const ReplayedAllocator& allocator, const CompiledTrace& trace,
               const Samples& samples) {
  const Curves curves = CurvesOf(allocator);
  const bool model = allocator.model.has_value();
  Json settings = Json::object();
  if (!allocator.spec.settings.empty())
    settings["text"] = allocator.spec.settings;
  if (model) settings["geometry"] = allocator.geometry;
  Json out = {
      {"name", allocator.spec.name},
      {"spelled", allocator.spec.spelled},
      {"settings", settings},
      {"label", allocator.exact ? "replayed exactly" : "counterfactual"},
      {"version", TextOrNull(allocator.identity.version)},
      {"library", TextOrNull(allocator.identity.library)},
      {"sha256", TextOrNull(allocator.identity.sha256)},
      {"held_bytes", OrNull(curves.held)},
      {"committed_bytes", OrNull(curves.committed)},
      {"rss_bytes", OrNull(curves.rss)},
      {"rss_recorded_bytes", OrNull(curves.rss_recorded)}};
  if (model) {
    out["waterfall"] = WaterfallOf(*allocator.model);
    out["large"] = Large(*allocator.model, curves);
    out["arenas"] = Arenas(*allocator.model, samples.moments);
    out["arenas"]["addresses"] =
        allocator.exact ? AddressesOf(*allocator.model, trace) : Json(nullptr);
    out["classes"] = Classes(*allocator.model, samples.moments);
  } else {
    for (const char* key : {"waterfall", "arenas", "classes"})
      out[key] = nullptr;
    out["large"] = {{"held_bytes", nullptr}};
  }
  out["failed_requests"] = allocator.model    ? allocator.model->failed_requests
                           : allocator.memory ? allocator.memory->failed
                                              : 0;
  out["summary"] = SummaryOf(allocator, curves, samples);
  out["time"] = allocator.time ? Time(*allocator.time) : Json(nullptr);
  out["map"] = model ? MapOf(*allocator.model) : Json(nullptr);
  out["objects"] = model ? ObjectsOf(*allocator.model, trace) : Json(nullptr);
  out["example"] = model ? ExampleOf(*allocator.model) : Json(nullptr);
  return out;
}

}  // namespace

nlohmann::ordered_json MakeResults(const ResultsInput& input) {
  const Samples& samples = *input.samples;
  const Timeline& timeline = samples.timeline;
  Json marks = Json::array();
  for (std::size_t i = 0; i < input.trace->marks.size(); ++i) {
    const std::size_t sample = samples.moments.marks[i];
    marks.push_back({{"name", input.trace->marks[i].name},
                     {"request", timeline.request[sample]},
                     {"sample", sample}});
  }
  Json results = {{"schema", kResultsSchema},
                  {"tool", kVersion},
                  {"complete", input.reader->complete() &&
                                   input.reader->totals().lost == 0},
                  {"command", input.command},
                  {"machine", DescribeMachine()},
                  {"trace", Trace(input)},
                  {"verify", input.verify},
                  {"options",
                   {{"scope", ScopeName(input.trace->scope)},
                    {"touch", input.touch},
                    {"memory_touch", input.memory_touch},
                    {"clock", "allocated bytes"},
                    {"repetitions", input.repetitions},
                    {"second_allocator", "system"},
                    {"time", "clock stopped"}}},
                  {"timeline",
                   {{"request", timeline.request},
                    {"allocated_bytes", timeline.allocated_bytes},
                    {"time_ns", timeline.time_ns},
                    {"requested_bytes", timeline.requested_bytes},
                    {"requested_small_bytes", timeline.requested_small_bytes},
                    {"live_objects", timeline.live_objects}}},
                  {"marks", marks},
                  {"moments",
                   {{"peak", samples.moments.peak},
                    {"valleys", samples.moments.valleys},
                    {"last_valley", OrNull(samples.moments.last_valley())},
                    {"end", samples.moments.end}}},
                  {"limits", Limits(input)}};
  Json allocators = Json::array();
  for (const ReplayedAllocator& allocator : input.allocators)
    allocators.push_back(Allocator(allocator, *input.trace, samples));
  results["allocators"] = std::move(allocators);
  results["verdict"] = {{"lines", VerdictLines(results)}};
  return results;
}

}  // namespace arenalab
