// One number per question, each against what was requested and what blocks of
// it were handed out.
#include <algorithm>
#include <cstddef>

#include "tools/replay/limits.h"
#include "tools/replay/results_parts.h"
#include "tools/replay/summary.h"

namespace arenalab {
namespace {

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

// jw1 to jw4 and waste, and valley retention, of `held` over `live`.
void AddFragmentation(Json* summary, const std::string& suffix,
                      const Samples& samples, const std::optional<Bytes>& live,
                      const std::optional<Bytes>& held) {
  const bool known = held.has_value() && live.has_value();
  const Fragmentation numbers =
      known ? Summarise(samples.timeline.allocated_bytes, *live, *held)
            : Fragmentation{};
  (*summary)["jw1" + suffix] = OrNull(numbers.jw1);
  (*summary)["jw2" + suffix] = OrNull(numbers.jw2);
  (*summary)["jw3" + suffix] = OrNull(numbers.jw3);
  (*summary)["jw4" + suffix] = OrNull(numbers.jw4);
  (*summary)["waste" + suffix] = OrNull(numbers.waste);
  Json retention = Json::array();
  for (const std::size_t valley : samples.moments.valleys) {
    if (!known || (*live)[valley] == 0) {
      retention.push_back(nullptr);
    } else {
      retention.push_back(static_cast<double>((*held)[valley]) /
                          static_cast<double>((*live)[valley]));
    }
  }
  (*summary)["valley_retention" + suffix] = retention;
}

Json GapAt(std::optional<std::size_t> sample, const std::optional<Bytes>& base,
           const std::optional<Bytes>& now, const Bytes& limit) {
  if (!sample.has_value() || !base.has_value() || !now.has_value())
    return nullptr;
  return OrNull(GapClosed((*base)[*sample], (*now)[*sample], limit[*sample]));
}

Json Drain(const std::optional<Bytes>& bytes) {
  if (!bytes.has_value()) return nullptr;
  return static_cast<std::int64_t>(bytes->back()) -
         static_cast<std::int64_t>(bytes->front());
}

}  // namespace

Json LatencyOf(const std::optional<LatencyRun>& run) {
  if (!run.has_value()) return nullptr;
  constexpr const char* kKinds[] = {"alloc", "zeroed", "aligned", "realloc",
                                    "free"};
  Json kinds = Json::object();
  for (std::size_t i = 0; i < run->kinds.size(); ++i) {
    if (!run->kinds[i].has_value()) continue;
    const LatencyFigures& figures = *run->kinds[i];
    kinds[kKinds[i]] = {{"timed", figures.timed},
                        {"p50_ns", figures.p50},
                        {"p99_ns", figures.p99},
                        {"p999_ns", figures.p999},
                        {"max_ns", figures.max}};
  }
  return {
      {"one_in", run->one_in}, {"clock_ns", run->clock_ns}, {"kinds", kinds}};
}

Json SummaryOf(const ReplayedAllocator& allocator, const Curves& curves,
               const Samples& samples, const Bases& bases) {
  const Timeline& timeline = samples.timeline;
  const bool small = allocator.model.has_value();
  std::optional<Bytes> requested = timeline.requested_bytes;
  std::optional<Bytes> blocks = curves.usable;
  if (small) {
    // What this geometry serves, which need not be what the recorded one did.
    requested.emplace();
    blocks.emplace();
    for (const ModelSample& sample : allocator.model->samples) {
      requested->push_back(sample.waterfall.bytes[0]);
      blocks->push_back(sample.waterfall.bytes[0] + sample.waterfall.bytes[1]);
    }
  }
  const std::optional<Bytes> all = timeline.requested_bytes;
  const Moments& moments = samples.moments;
  Json summary = {{"against", small ? "small requests" : "all requests"}};
  AddMoments(&summary, "held", curves.held, moments);
  AddMoments(&summary, "committed", curves.committed, moments);
  AddMoments(&summary, "rss", curves.rss, moments);
  AddMoments(&summary, "rss_recorded", curves.rss_recorded, moments);
  AddMoments(&summary, "rss_idled", curves.rss_idled, moments);
  AddFragmentation(&summary, "", samples, requested, curves.held);
  AddFragmentation(&summary, "_committed", samples, requested,
                   curves.committed);
  AddFragmentation(&summary, "_rss", samples, all, curves.rss);
  AddFragmentation(&summary, "_blocks", samples, blocks, curves.held);
  AddFragmentation(&summary, "_committed_blocks", samples, blocks,
                   curves.committed);
  AddFragmentation(&summary, "_rss_blocks", samples, curves.usable, curves.rss);
  summary["drain_bytes"] = Drain(curves.held);
  summary["drain_committed_bytes"] = Drain(curves.committed);
  const std::optional<Bytes> base_held = bases.held;
  const std::optional<Bytes> own_held = small ? curves.held : std::nullopt;
  summary["gap_closed_peak_held"] =
      GapAt(moments.peak, base_held, own_held, bases.class_repack);
  summary["gap_closed_last_valley_held"] =
      GapAt(moments.last_valley(), base_held, own_held, bases.class_repack);
  summary["gap_closed_peak_rss"] =
      GapAt(moments.peak, bases.rss, curves.rss, bases.page_load);
  summary["gap_closed_last_valley_rss"] =
      GapAt(moments.last_valley(), bases.rss, curves.rss, bases.page_load);
  return summary;
}

}  // namespace arenalab
