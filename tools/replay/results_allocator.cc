// One allocator of the results: RESULTS.md, ALLOCATOR.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "allocators/pymalloc/size_class.h"
#include "tools/replay/results_parts.h"
#include "tools/replay/waterfall.h"

namespace arenalab {
namespace {

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

// member(sample) - member(start) of each sample, nothing below 0.
template <class Member>
Bytes Brought(const MemoryRun& run, Member member) {
  Bytes bytes;
  for (const ReplaySample& sample : run.samples) {
    bytes.push_back(static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, sample.*member - run.start.*member)));
  }
  return bytes;
}

bool TellsUsable(const MemoryRun& run) {
  return std::ranges::all_of(run.samples, [](const ReplaySample& sample) {
    return sample.usable_bytes >= 0;
  });
}

Json WaterfallOf(const ModelRun& model) {
  Json bytes = Json::array();
  for (const ModelSample& sample : model.samples)
    bytes.push_back(sample.waterfall.bytes);
  return {{"parts", kWaterfallParts}, {"bytes", bytes}};
}

// The second allocator's share: what is mapped and is no arena. The clone's
// metadata, which it serves, counts into the rest.
Json Large(const ModelRun& model, const std::optional<MemoryRun>& run,
           const Curves& curves) {
  Bytes requested;
  for (const ModelSample& sample : model.samples)
    requested.push_back(sample.large_requested_bytes);
  Json large = {{"requested_bytes", requested},
                {"rounding_bytes", nullptr},
                {"rest_bytes", nullptr},
                {"held_bytes", nullptr},
                {"rss_bytes", nullptr}};
  if (!run.has_value()) return large;
  Bytes rounding, rest, held, resident;
  for (std::size_t i = 0; i < model.samples.size(); ++i) {
    const HeapSnapshot& heap = run->samples[i].heap;
    const auto arenas =
        static_cast<std::uint64_t>(heap.held_bytes - heap.metadata_bytes);
    const auto usable =
        (*curves.usable)[i] - static_cast<std::uint64_t>(heap.live_block_bytes);
    const std::uint64_t mapped = (*curves.mapped)[i];
    rounding.push_back(usable - requested[i]);
    held.push_back(mapped - std::min(mapped, arenas));
    rest.push_back(held.back() - std::min(held.back(), usable));
    const std::uint64_t rss = (*curves.rss)[i];
    const std::uint64_t small = (*curves.committed)[i];
    resident.push_back(rss > small ? rss - small : 0);
  }
  large["rounding_bytes"] = rounding;
  large["rest_bytes"] = rest;
  large["held_bytes"] = held;
  large["rss_bytes"] = resident;
  return large;
}

// What a library tells of its inside; all else is one part, unknown.
Json Told(const ReplayedAllocator& allocator, const Samples& samples,
          const Curves& curves) {
  if (!allocator.memory.has_value() || !curves.usable.has_value())
    return nullptr;
  const bool held = curves.held.has_value();
  const Bytes& whole = held ? *curves.held : *curves.mapped;
  Json rows = Json::array();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const std::int64_t metadata =
        allocator.memory->samples[i].heap.metadata_bytes;
    const std::uint64_t requested = samples.timeline.requested_bytes[i];
    const std::uint64_t usable = (*curves.usable)[i];
    std::int64_t unknown =
        static_cast<std::int64_t>(whole[i]) - static_cast<std::int64_t>(usable);
    if (metadata != kUnknown) unknown -= metadata;
    rows.push_back({requested,
                    static_cast<std::int64_t>(usable) -
                        static_cast<std::int64_t>(requested),
                    metadata == kUnknown ? Json(nullptr) : Json(metadata),
                    unknown});
  }
  return {{"of", held ? "held_bytes" : "mapped_bytes"},
          {"parts", {"requested", "rounding", "metadata", "unknown"}},
          {"bytes", rows}};
}

// What the recording knows of who asked in this step.
Json NameIn(const std::vector<std::uint32_t>& numbers,
            const std::vector<std::string>& names, std::uint64_t step) {
  if (step >= numbers.size() || numbers[step] == 0 ||
      numbers[step] >= names.size()) {
    return nullptr;
  }
  return names[numbers[step]];
}

Json RetentionAt(const ModelRun& model, const CompiledTrace& trace,
                 std::optional<std::size_t> sample) {
  for (const Retention& at : model.retention) {
    if (sample != at.sample) continue;
    const std::vector<std::uint32_t>& blocks = at.live_blocks;
    Json pinned_by = Json::object();
    for (const std::uint32_t most : kPinnedBy)
      pinned_by[std::to_string(most)] = PinnedByAtMost(blocks, most);
    Json pinned = Json::array();
    for (const PinnedArena& arena : at.pinned) {
      Json pinners = Json::array();
      for (const Pinner& pinner : arena.pinners) {
        pinners.push_back(
            {{"request", pinner.request},
             {"age_requests", pinner.age_requests},
             {"requested_bytes", pinner.requested_bytes},
             {"type", NameIn(trace.types, trace.type_names, pinner.step)},
             {"site", NameIn(trace.sites, trace.site_names, pinner.step)},
             {"block_bytes", BlockSize(model.geometry, pinner.size_class)}});
      }
      pinned.push_back({{"arena", arena.ordinal},
                        {"live_blocks", arena.live_blocks},
                        {"pinners", pinners}});
    }
    return {
        {"arenas", blocks.size()},
        {"releasable", std::ranges::count(blocks, 0u)},
        {"blocks_for_half", BlocksForShare(blocks, 50)},
        {"blocks_for_nine_tenths", BlocksForShare(blocks, 90)},
        {"pinned_by_at_most", pinned_by},
        {"pinned", pinned},
        {"mixing_requests",
         {{"median", OrNull(at.mixing_median)},
          {"max", OrNull(at.mixing_max)}}},
        {"wait_requests",
         {{"median", OrNull(at.wait_median)}, {"max", OrNull(at.wait_max)}}}};
  }
  return nullptr;
}

Json PagesAt(const ModelRun& model, std::optional<std::size_t> sample) {
  for (const ModelPages& at : model.pages) {
    if (sample != at.sample) continue;
    return {
        {"free_pools_bytes", at.potential.free_pools_bytes},
        {"free_pages_bytes", at.potential.free_pages_bytes},
        {"free_pools_committed_bytes", at.potential.free_pools_committed_bytes},
        {"free_pages_committed_bytes",
         at.potential.free_pages_committed_bytes}};
  }
  return nullptr;
}

// f(model, sample) at each of the three moments.
template <class AtMoment>
Json AtMoments(const ModelRun& model, const Moments& moments, AtMoment f) {
  return {{"peak", f(model, moments.peak)},
          {"last_valley", f(model, moments.last_valley())},
          {"end", f(model, moments.end)}};
}

Json LiveBlocksAt(const ModelRun& model, std::optional<std::size_t> sample) {
  for (const Retention& at : model.retention) {
    if (sample == at.sample) return at.live_blocks;
  }
  return nullptr;
}

Json Arenas(const ModelRun& model, const CompiledTrace& trace,
            const Moments& moments) {
  Bytes live;
  for (const ModelSample& sample : model.samples)
    live.push_back(sample.arenas_live);
  Json lifetimes = nullptr;
  if (const Bytes& all = model.arena_lifetimes; !all.empty()) {
    lifetimes = {{"p50", Percentile(all, 50)},
                 {"p90", Percentile(all, 90)},
                 {"max", Percentile(all, 100)}};
  }
  return {{"arena_bytes", model.geometry.arena_bytes},
          {"pool_bytes", model.geometry.pool_bytes},
          {"created", model.arenas_created},
          {"released", model.arenas_released},
          {"high_water", model.arenas_high_water},
          {"live_at_end", model.samples.back().arenas_live},
          {"live", live},
          {"live_blocks", AtMoments(model, moments, LiveBlocksAt)},
          {"lifetime_requests", lifetimes},
          {"retention", AtMoments(model, moments,
                                  [&](const ModelRun& run,
                                      std::optional<std::size_t> sample) {
                                    return RetentionAt(run, trace, sample);
                                  })},
          {"pages", AtMoments(model, moments, PagesAt)}};
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

Json MapOf(const ModelRun& model) {
  return {{"encoding", "varint+gzip+base64"},
          {"arena_bytes", model.geometry.arena_bytes},
          {"pool_bytes", model.geometry.pool_bytes},
          {"alignment", model.geometry.alignment},
          {"classes", model.geometry.classes},
          {"header_bytes", model.geometry.header_bytes},
          {"samples", model.samples.size()},
          {"told", ToldSamples(model.map_told, model.samples.size())},
          {"data", model.map}};
}

Json ObjectsOf(const ModelRun& model, const CompiledTrace& trace) {
  if (!model.objects.has_value()) return nullptr;
  return {{"encoding", "varint+gzip+base64"},
          {"samples", model.samples.size()},
          {"count", model.objects->count},
          {"told", ToldSamples(model.objects->told, model.samples.size())},
          {"types", NamesOf(trace.type_names)},
          {"sites", NamesOf(trace.site_names)},
          {"owners", !trace.owners.empty()},
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

}  // namespace

Json ToldSamples(const std::vector<std::size_t>& told, std::size_t samples) {
  return told.size() == samples ? Json(nullptr) : Json(told);
}

Json NamesOf(const std::vector<std::string>& names) {
  return names.empty() ? Json(nullptr) : Json(names);
}

Curves CurvesOf(const ReplayedAllocator& allocator) {
  Curves curves;
  if (allocator.memory.has_value()) {
    const MemoryRun& run = *allocator.memory;
    curves.rss = Brought(run, &ReplaySample::anonymous_bytes);
    curves.mapped = Brought(run, &ReplaySample::mapped_bytes);
    if (TellsUsable(run)) {
      curves.usable = Brought(run, &ReplaySample::usable_bytes);
    }
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
    curves.rss_recorded =
        Brought(*allocator.recorded, &ReplaySample::anonymous_bytes);
  }
  if (allocator.idled.has_value()) {
    curves.rss_idled =
        Brought(*allocator.idled, &ReplaySample::anonymous_bytes);
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

Json AllocatorOf(const ReplayedAllocator& allocator, const CompiledTrace& trace,
                 const Samples& samples, const Bases& bases) {
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
      {"rss_recorded_bytes", OrNull(curves.rss_recorded)},
      {"rss_idled_bytes", OrNull(curves.rss_idled)},
      {"mapped_bytes", OrNull(curves.mapped)},
      {"usable_bytes", OrNull(curves.usable)}};
  if (model) {
    out["waterfall"] = WaterfallOf(*allocator.model);
    out["large"] = Large(*allocator.model, allocator.memory, curves);
    out["arenas"] = Arenas(*allocator.model, trace, samples.moments);
    out["arenas"]["addresses"] =
        allocator.exact ? AddressesOf(*allocator.model, trace) : Json(nullptr);
    out["classes"] = Classes(*allocator.model, samples.moments);
  } else {
    for (const char* key : {"waterfall", "arenas", "classes"})
      out[key] = nullptr;
    out["large"] = {{"held_bytes", nullptr}};
  }
  out["told"] = model ? Json(nullptr) : Told(allocator, samples, curves);
  out["failed_requests"] = allocator.model    ? allocator.model->failed_requests
                           : allocator.memory ? allocator.memory->failed
                                              : 0;
  out["summary"] = SummaryOf(allocator, curves, samples, bases);
  out["time"] = allocator.time ? Time(*allocator.time) : Json(nullptr);
  out["latency"] = LatencyOf(allocator.latency);
  out["map"] = model ? MapOf(*allocator.model) : Json(nullptr);
  out["objects"] = model ? ObjectsOf(*allocator.model, trace) : Json(nullptr);
  out["places"] = allocator.places.empty()
                      ? Json(nullptr)
                      : Json{{"encoding", "varint+gzip+base64"},
                             {"data", allocator.places}};
  out["example"] = model ? ExampleOf(*allocator.model) : Json(nullptr);
  return out;
}

}  // namespace arenalab
