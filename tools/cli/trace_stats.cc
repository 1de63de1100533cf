// Counts one recording in one pass, for `arenalab stats`.
#include "tools/cli/trace_stats.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/size_class.h"
#include "tools/cli/attribution_stats.h"
#include "tools/replay/readable.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

using nlohmann::ordered_json;

constexpr std::array kKindNames{"malloc", "calloc", "aligned", "realloc",
                                "free"};
constexpr std::array kLayerNames{"raw", "mem", "obj", "libc"};
// One screen.
constexpr std::size_t kMostClasses = 12;
constexpr std::size_t kMostMarks = 6;

// Of every live object of mem and obj, by its number.
struct Sizes {
  std::uint64_t bytes = 0;
  std::uint32_t size_class = 0;
};

class Counter {
 public:
  explicit Counter(TraceStats* stats) : stats_(stats) {}

  void Request(const Event& event) {
    ++stats_->by_kind[static_cast<std::size_t>(event.kind)];
    ++stats_->by_layer[static_cast<std::size_t>(event.layer)];
    if (event.layer != Layer::kMem && event.layer != Layer::kObject) return;
    if (event.address == 0) return;  // it failed
    const Identified identified = objects_.Identify(event);
    if (identified.object == kNoObject) return;
    if (event.kind == EventKind::kFree) {
      Remove(identified.object);
      return;
    }
    if (event.kind == EventKind::kRealloc && event.old_address != 0 &&
        !identified.unknown_old) {
      Remove(identified.object);
    }
    Add(identified.object, event);
  }

 private:
  void Add(std::uint32_t object, const Event& event) {
    if (object >= sizes_.size()) {
      sizes_.resize(std::size_t{object} * 2 + 1024);
    }
    const bool small = IsSmall(stats_->geometry, event.size_bytes);
    const auto size_class = static_cast<std::uint32_t>(
        small ? ClassOf(stats_->geometry, event.size_bytes)
              : stats_->classes.size() - 1);
    sizes_[object] = {event.size_bytes, size_class};
    ClassStats& of_class = stats_->classes[size_class];
    ++of_class.requests;
    ++of_class.live;
    of_class.live_bytes += event.size_bytes;
    of_class.peak_live = std::max(of_class.peak_live, of_class.live);
    of_class.peak_live_bytes =
        std::max(of_class.peak_live_bytes, of_class.live_bytes);
    ++stats_->live;
    stats_->live_bytes += event.size_bytes;
    if (stats_->live_bytes > stats_->peak_bytes) {
      stats_->peak_bytes = stats_->live_bytes;
      stats_->peak_live = stats_->live;
      stats_->peak_event = event.request;
    }
  }

  void Remove(std::uint32_t object) {
    const Sizes sizes = sizes_[object];
    ClassStats& of_class = stats_->classes[sizes.size_class];
    --of_class.live;
    of_class.live_bytes -= sizes.bytes;
    --stats_->live;
    stats_->live_bytes -= sizes.bytes;
  }

  TraceStats* stats_;
  ObjectTable objects_;
  std::vector<Sizes> sizes_;
};

// What a recording knows of the resident set. All of an arena counts, though
// pages that were never touched are not resident: less than an arena.
std::vector<WhoseShare> SharesOf(const TraceStats& stats, std::uint64_t arenas,
                                 std::uint64_t rss_bytes) {
  const auto held =
      static_cast<std::int64_t>(arenas * stats.geometry.arena_bytes);
  std::int64_t live = 0;
  for (const ClassStats& of_class : stats.classes)
    live += static_cast<std::int64_t>(of_class.live * of_class.block_bytes);
  const auto large = static_cast<std::int64_t>(stats.classes.back().live_bytes);
  return {{"pymalloc's arenas'", held, std::max<std::int64_t>(0, held - live)},
          {"what Python has from the C library", large, 0},
          {"code's, stacks', the C library's own and what was not recorded",
           static_cast<std::int64_t>(rss_bytes) - held - large, 0}};
}

void ChooseGeometry(const TraceReader& reader, TraceStats* stats) {
  stats->geometry = Cpython311::kGeometry;
  const auto canonical = ResolveGeometry(reader.Meta("geometry"));
  if (canonical.has_value()) {
    stats->geometry_known = true;
    ForEachGeneration([&]<class G>() {
      if (G::kName == *canonical) stats->geometry = G::kGeometry;
    });
  }
  stats->classes.resize(stats->geometry.classes + 1);
  for (std::size_t c = 0; c < stats->geometry.classes; ++c) {
    stats->classes[c].block_bytes = BlockSize(stats->geometry, c);
  }
}

std::string ClassName(const TraceStats& stats, std::size_t i) {
  if (i + 1 == stats.classes.size()) {
    return "over " + std::to_string(stats.geometry.max_small_bytes);
  }
  const std::uint64_t block = stats.classes[i].block_bytes;
  return std::to_string(block - stats.geometry.alignment + 1) + "-" +
         std::to_string(block);
}

std::string Counts(const auto& names, const auto& counts) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : ", ") + ReadableCount(counts[i]) + " " + names[i];
  }
  return text;
}

std::string Plural(std::uint64_t n, const std::string& one) {
  return ReadableCount(n) + " " + one + (n == 1 ? "" : "s");
}

std::string ClassTable(const TraceStats& stats) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < stats.classes.size(); ++i) {
    if (stats.classes[i].requests != 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return stats.classes[a].peak_live_bytes > stats.classes[b].peak_live_bytes;
  });
  if (order.empty()) return "";
  char line[160];
  std::snprintf(line, sizeof line, "\n  %-12s%14s%14s%14s%14s\n", "size, bytes",
                "requests", "peak live", "peak bytes", "live at end");
  std::string text = line;
  const std::size_t shown = std::min(order.size(), kMostClasses);
  for (std::size_t i = 0; i < shown; ++i) {
    const ClassStats& of_class = stats.classes[order[i]];
    std::snprintf(
        line, sizeof line, "  %-12s%14s%14s%14s%14s\n",
        ClassName(stats, order[i]).c_str(),
        ReadableCount(of_class.requests).c_str(),
        ReadableCount(of_class.peak_live).c_str(),
        ReadableBytes(static_cast<double>(of_class.peak_live_bytes)).c_str(),
        ReadableCount(of_class.live).c_str());
    text += line;
  }
  if (shown < order.size()) {
    text += "  and " + Plural(order.size() - shown, "more size") +
            " (--json has all)\n";
  }
  return text;
}

}  // namespace

TraceStats ComputeTraceStats(TraceReader& reader) {
  TraceStats stats;
  ChooseGeometry(reader, &stats);
  Counter counter(&stats);
  std::set<std::uint32_t> threads;
  std::set<std::uint32_t> states;
  std::uint64_t arenas = 0;
  reader.Rewind();
  for (Event event; reader.Next(&event);) {
    stats.duration_ns = event.time_ns;
    switch (event.kind) {
      case EventKind::kArenaAcquire:
        if (event.size_bytes != stats.geometry.arena_bytes) break;
        if (event.address == 0) break;
        ++stats.arenas_acquired;
        stats.peak_arenas = std::max(stats.peak_arenas, ++arenas);
        break;
      case EventKind::kArenaRelease:
        if (event.size_bytes != stats.geometry.arena_bytes) break;
        ++stats.arenas_released;
        if (arenas != 0) --arenas;
        break;
      case EventKind::kMark:
        stats.marks.emplace_back(event.name, event.request);
        break;
      case EventKind::kFork:
        stats.children.emplace_back(event.name);
        break;
      case EventKind::kMemory:
        ++stats.rss_readings;
        if (event.rss_bytes > stats.peak_rss_bytes) {
          stats.peak_rss_bytes = event.rss_bytes;
          stats.whose_request = event.request;
          stats.whose = SharesOf(stats, arenas, event.rss_bytes);
        }
        break;
      case EventKind::kHeld:
        break;
      default:
        ++stats.requests;
        if (event.depth != 0) break;
        threads.insert(event.thread);
        states.insert(event.state);
        counter.Request(event);
        break;
    }
  }
  stats.threads = threads.size();
  stats.interpreters = states.size();
  if (!reader.Name(NameSpace::kType, 1).empty() ||
      !reader.Name(NameSpace::kSite, 1).empty()) {
    stats.attribution = AttributeMoments(reader, stats.geometry);
  }
  return stats;
}

std::string TraceStatsText(const TraceReader& reader, const TraceStats& stats) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f s",
                static_cast<double>(stats.duration_ns) / 1e9);
  std::string text = reader.path() + ": Python " +
                     reader.Meta("python", "of unknown version") + ", " +
                     reader.Meta("allocator", "pymalloc") + " (" +
                     reader.Meta("geometry", "unknown geometry") + ")\n";
  if (!stats.whose.empty())
    text += "  whose     " + WhoseWords(stats.peak_rss_bytes, stats.whose) +
            " (The largest reading, at EVENT " +
            ReadableCount(stats.whose_request) + ".)\n";
  const std::string program = reader.Meta("program");
  if (!program.empty()) text += "  program   " + program + "\n";
  text += "  process   " + reader.Meta("process", "unknown") + ", " + seconds +
          ", " + Plural(stats.threads, "thread") + ", " +
          Plural(stats.interpreters, "interpreter") + ", " +
          Plural(stats.children.size(), "fork");
  const std::string parent = reader.Meta("parent");
  if (!parent.empty()) text += ", forked from " + parent;
  text += "\n  requests  " + ReadableCount(stats.requests) + ": " +
          Counts(kKindNames, stats.by_kind) + "\n";
  text += "  domains   " + Counts(kLayerNames, stats.by_layer) + "\n";
  text += "  live      " +
          ReadableBytes(static_cast<double>(stats.peak_bytes)) + " in " +
          ReadableCount(stats.peak_live) + " objects at the peak, EVENT " +
          ReadableCount(stats.peak_event) + "; at the end " +
          ReadableBytes(static_cast<double>(stats.live_bytes)) + " in " +
          ReadableCount(stats.live) + "\n";
  text += "  arenas    " + ReadableCount(stats.arenas_acquired) +
          " acquired, " + ReadableCount(stats.arenas_released) + " released, " +
          ReadableCount(stats.peak_arenas) + " at once (" +
          ReadableBytes(static_cast<double>(stats.peak_arenas) *
                        static_cast<double>(stats.geometry.arena_bytes)) +
          ")\n";
  if (stats.rss_readings != 0) {
    text += "  resident  " +
            ReadableBytes(static_cast<double>(stats.peak_rss_bytes)) +
            " at most, the whole process, read " +
            Plural(stats.rss_readings, "time") + "\n";
  }
  for (std::size_t i = 0; i < std::min(stats.marks.size(), kMostMarks); ++i) {
    text += "  mark      " + stats.marks[i].first + " at EVENT " +
            ReadableCount(stats.marks[i].second) + "\n";
  }
  if (stats.marks.size() > kMostMarks) {
    text += "  and " + Plural(stats.marks.size() - kMostMarks, "more mark") +
            " (--json has all)\n";
  }
  return text + ClassTable(stats) + AttributionText(stats.attribution);
}

namespace {

ordered_json RowsJson(const std::vector<AttributedRow>& rows) {
  ordered_json json = ordered_json::array();
  for (const AttributedRow& row : rows) {
    json.push_back({{"name", row.name.empty() ? ordered_json(nullptr)
                                              : ordered_json(row.name)},
                    {"objects", row.objects},
                    {"bytes", row.bytes},
                    {"pinners", row.pinners}});
    if (!row.stack.empty()) json.back()["stack"] = row.stack;
  }
  return json;
}

ordered_json AttributionJson(const std::vector<AttributedMoment>& moments) {
  ordered_json json = ordered_json::array();
  for (const AttributedMoment& moment : moments) {
    json.push_back({{"name", moment.name},
                    {"event", moment.request},
                    {"objects", moment.all.objects},
                    {"bytes", moment.all.bytes},
                    {"pinners", moment.all.pinners},
                    {"pinned_arenas", moment.pinned_arenas},
                    {"owners",
                     {{"program", moment.owners[0]},
                      {"free_list", moment.owners[1]},
                      {"immortal", moment.owners[2]}}},
                    {"types", RowsJson(moment.types)},
                    {"sites", RowsJson(moment.sites)}});
  }
  return json;
}

}  // namespace

std::string TraceStatsJson(const TraceReader& reader, const TraceStats& stats) {
  ordered_json json;
  json["schema"] = "arenalab.trace-stats/1";
  json["trace"] = reader.path();
  json["meta"] = reader.meta();
  json["complete"] = reader.complete();
  json["lost"] = reader.totals().lost;
  json["requests"] = stats.requests;
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    json["by_kind"][kKindNames[i]] = stats.by_kind[i];
  }
  for (std::size_t i = 0; i < kLayerNames.size(); ++i) {
    json["by_layer"][kLayerNames[i]] = stats.by_layer[i];
  }
  json["duration_ns"] = stats.duration_ns;
  json["threads"] = stats.threads;
  json["interpreters"] = stats.interpreters;
  json["peak"] = {{"bytes", stats.peak_bytes},
                  {"objects", stats.peak_live},
                  {"event", stats.peak_event}};
  json["end"] = {{"bytes", stats.live_bytes}, {"objects", stats.live}};
  json["peak_rss_bytes"] = stats.rss_readings == 0
                               ? ordered_json(nullptr)
                               : ordered_json(stats.peak_rss_bytes);
  json["whose"] = nullptr;
  if (!stats.whose.empty()) {
    json["whose"] = {
        {"sentence", WhoseWords(stats.peak_rss_bytes, stats.whose)},
        {"event", stats.whose_request},
        {"rss_bytes", stats.peak_rss_bytes},
        {"rows", ordered_json::array()}};
    for (const WhoseShare& share : stats.whose)
      json["whose"]["rows"].push_back({{"name", share.name},
                                       {"rss_bytes", share.bytes},
                                       {"free_bytes", share.free_bytes}});
  }
  json["arenas"] = {{"arena_bytes", stats.geometry.arena_bytes},
                    {"acquired", stats.arenas_acquired},
                    {"released", stats.arenas_released},
                    {"high_water", stats.peak_arenas}};
  json["geometry_known"] = stats.geometry_known;
  json["children"] = stats.children;
  json["marks"] = ordered_json::array();
  for (const auto& [name, event] : stats.marks) {
    json["marks"].push_back({{"name", name}, {"event", event}});
  }
  json["classes"] = ordered_json::array();
  for (const ClassStats& of_class : stats.classes) {
    ordered_json row;
    row["block_bytes"] = of_class.block_bytes == 0
                             ? ordered_json(nullptr)
                             : ordered_json(of_class.block_bytes);
    row["requests"] = of_class.requests;
    row["peak_live"] = of_class.peak_live;
    row["peak_live_bytes"] = of_class.peak_live_bytes;
    row["live_at_end"] = of_class.live;
    json["classes"].push_back(std::move(row));
  }
  json["attribution"] = AttributionJson(stats.attribution);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace arenalab
