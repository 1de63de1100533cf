// From the runs to JSON, part by part in the order of RESULTS.md.
#include "tools/replay/results.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tools/replay/limits.h"
#include "tools/replay/machine.h"
#include "tools/replay/results_file.h"
#include "tools/replay/results_parts.h"
#include "tools/replay/verdict.h"
#include "tools/version.h"

namespace arenalab {
namespace {

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
          {"inherited", trace.inherited_steps - trace.litter_steps},
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

Json Mesh(const ModelRun& model) {
  Bytes samples, pairs, eights;
  for (const ModelPages& at : model.pages) {
    samples.push_back(at.sample);
    pairs.push_back(at.meshed_pairs_bytes);
    eights.push_back(at.meshed_eights_bytes);
  }
  return {{"samples", samples}, {"pairs", pairs}, {"eights", eights}};
}

Json OracleOf(const std::optional<Oracle>& oracle) {
  if (!oracle.has_value()) return nullptr;
  const auto curve = [](const OracleCurve& of) -> Json {
    return {{"page_bytes", of.page_bytes}, {"extent_bytes", of.extent_bytes}};
  };
  return {{"by_lifetime", curve(oracle->by_lifetime)},
          {"by_death", curve(oracle->by_death)},
          {"by_size", curve(oracle->by_size)}};
}

Json AgeOf(const std::optional<Litter>& litter) {
  if (!litter.has_value()) return nullptr;
  return {{"multiplier", litter->multiplier},
          {"occupancy", litter->occupancy},
          {"seed", litter->seed}};
}

Bases BasesOf(const ResultsInput& input) {
  const ModelRun& model = *input.reference;
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  Bases bases;
  for (const std::uint64_t bytes : input.samples->timeline.requested_bytes)
    bases.page_load.push_back(PageLoad(bytes, page_bytes));
  for (const ModelSample& sample : model.samples) {
    bases.class_repack.push_back(
        ClassRepack(model.geometry, sample.used_blocks));
    bases.held.push_back(sample.waterfall.held_bytes());
  }
  for (const ReplayedAllocator& allocator : input.allocators) {
    if (!allocator.model.has_value() || !allocator.memory.has_value()) continue;
    bases.rss = CurvesOf(allocator).rss;
    break;
  }
  return bases;
}

// The last reading before each sample; null where there is none.
Json ProcessRss(const CompiledTrace& trace,
                const std::vector<std::uint64_t>& steps) {
  if (trace.memory.empty()) return nullptr;
  Json rss = Json::array();
  std::size_t next = 0;
  for (const std::uint64_t step : steps) {
    while (next < trace.memory.size() && trace.memory[next].step <= step)
      ++next;
    rss.push_back(next == 0 ? Json(nullptr)
                            : Json(trace.memory[next - 1].rss_bytes));
  }
  return rss;
}

// Of all readings, with the sample that is fewest steps away: between two of
// them a program may give up all that it has.
Json LargestReading(const CompiledTrace& trace,
                    const std::vector<std::uint64_t>& steps) {
  if (trace.memory.empty() || steps.empty()) return nullptr;
  const auto& largest = *std::max_element(
      trace.memory.begin(), trace.memory.end(),
      [](const auto& a, const auto& b) { return a.rss_bytes < b.rss_bytes; });
  std::size_t nearest = 0;
  const auto distance = [&](std::size_t i) {
    return std::max(steps[i], largest.step) - std::min(steps[i], largest.step);
  };
  for (std::size_t i = 1; i < steps.size(); ++i)
    if (distance(i) < distance(nearest)) nearest = i;
  return {{"rss_bytes", largest.rss_bytes}, {"sample", nearest}};
}

Json Limits(const ResultsInput& input, const Bases& bases) {
  const Timeline& timeline = input.samples->timeline;
  const ModelRun& model = *input.reference;
  Bytes arenas;
  for (const std::uint64_t bytes : bases.class_repack)
    arenas.push_back(ClassRepackArenas(model.geometry, bytes));
  return {{"generation", input.geometry},
          {"load", timeline.requested_bytes},
          {"load_small", timeline.requested_small_bytes},
          {"page_load", bases.page_load},
          {"class_repack", bases.class_repack},
          {"class_repack_arenas", arenas},
          {"mesh", Mesh(model)},
          {"oracle", OracleOf(input.oracle)},
          {"robson_bytes",
           Robson(timeline.requested_small_bytes[input.samples->moments.peak])},
          {"segregation_bytes", model.segregation_bytes}};
}

Json LiveOf(const LiveList* live, const CompiledTrace& trace) {
  if (live == nullptr) return nullptr;
  return {{"encoding", "varint+gzip+base64"},
          {"samples", live->samples},
          {"count", live->objects.size()},
          {"told", ToldSamples(live->told, live->samples)},
          {"types", NamesOf(trace.type_names)},
          {"sites", NamesOf(trace.site_names)},
          {"owners", live->owners},
          {"data", EncodeLive(*live)}};
}

}  // namespace

nlohmann::ordered_json MakeResults(const ResultsInput& input) {
  const Samples& samples = *input.samples;
  const Timeline& timeline = samples.timeline;
  const Bases bases = BasesOf(input);
  Json marks = Json::array();
  for (std::size_t i = 0; i < input.trace->marks.size(); ++i) {
    const std::size_t sample = samples.moments.marks[i];
    marks.push_back({{"name", input.trace->marks[i].name},
                     {"request", timeline.request[sample]},
                     {"sample", sample}});
  }
  Json results = {
      {"schema", kResultsSchema},
      {"tool", kVersion},
      {"complete",
       input.reader->complete() && input.reader->totals().lost == 0},
      {"command", input.command},
      {"machine", DescribeMachine()},
      {"trace", Trace(input)},
      {"verify", input.verify},
      {"options",
       {{"scope", ScopeName(input.trace->scope)},
        {"touch", input.touch},
        {"memory_touch", input.memory_touch},
        {"aged", AgeOf(input.litter)},
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
        {"live_objects", timeline.live_objects},
        {"process_rss_bytes", ProcessRss(*input.trace, timeline.steps)}}},
      {"largest_process_rss", LargestReading(*input.trace, timeline.steps)},
      {"marks", marks},
      {"moments",
       {{"peak", samples.moments.peak},
        {"valleys", samples.moments.valleys},
        {"last_valley", OrNull(samples.moments.last_valley())},
        {"end", samples.moments.end}}},
      {"limits", Limits(input, bases)},
      {"live", LiveOf(input.live, *input.trace)}};
  Json allocators = Json::array();
  for (const ReplayedAllocator& allocator : input.allocators)
    allocators.push_back(AllocatorOf(allocator, *input.trace, samples, bases));
  results["allocators"] = std::move(allocators);
  results["verdict"] = {{"lines", VerdictLines(results)}};
  return results;
}

}  // namespace arenalab
