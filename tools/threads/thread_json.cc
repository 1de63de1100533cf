// The tables of threads and of models as JSON. README.md has the fields.
#include <nlohmann/json.hpp>

#include "tools/replay/machine.h"
#include "tools/threads/model_table.h"
#include "tools/threads/thread_table.h"
#include "tools/version.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

Json IntervalJson(const Interval& interval) {
  return {{"median", interval.median},
          {"low", interval.low},
          {"high", interval.high}};
}

Json TimedJson(const TimedCell& timed) {
  if (timed.ns_per_event.empty()) return nullptr;
  Json json = {
      {"ns_per_request", timed.ns_per_event},
      {"requests_per_second", IntervalJson(timed.events_per_second())}};
  if (!timed.again.empty()) json["again_ns_per_request"] = timed.again;
  return json;
}

Json OrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json Head(const char* schema, const std::string& trace, std::uint64_t requests,
          Scope scope, Touch touch, int rounds, std::uint64_t seed) {
  return {{"schema", schema},
          {"tool", kVersion},
          {"machine", DescribeMachine()},
          {"usable_cores", UsableCores()},
          {"trace", trace},
          {"requests", requests},
          {"options",
           {{"scope", ScopeName(scope)},
            {"touch", TouchName(touch)},
            {"memory_touch", "fill"},
            {"rounds", rounds},
            {"seed", seed}}}};
}

}  // namespace

std::string ThreadTableJson(const ThreadTable& table) {
  const ThreadTableRequest& request = table.request;
  Json json = Head("arenalab.threads/1", table.trace, table.requests,
                   request.scope, request.touch, request.rounds, request.seed);
  json["options"]["mode"] = InterleavingName(request.interleaving);
  json["options"]["window"] = request.interleaving == Interleaving::kFaithful
                                  ? Json(request.window)
                                  : Json(nullptr);
  json["recorded_threads"] = table.recorded_threads;
  json["requests_by_thread"] = table.requests_by_thread;
  json["shared_objects"] = table.shared_objects;
  json["handovers"] = table.handovers;
  json["content_proved"] = table.content_proved();
  json["warnings"] = table.notes;
  json["cells"] = Json::array();
  for (const ThreadCell& cell : table.cells) {
    Json out = {{"allocator", cell.allocator},
                {"threads", cell.threads},
                {"lock", cell.locked},
                {"not_measured", OrNull(cell.not_measured)}};
    if (cell.not_measured.empty()) {
      out["time"] = TimedJson(cell.timed);
      if (!cell.timed.ns_per_event.empty()) {
        out["waiting_share"] = cell.timed.waiting_median();
        out["ratio_to_first"] = {
            {"median", cell.ratio.median},
            {"low", cell.ratio.low},
            {"high", cell.ratio.high},
            {"verdict", TimeVerdictName(cell.ratio.verdict)}};
      }
      out["peak_bytes"] = cell.peak_bytes;
      out["end_bytes"] = cell.end_bytes;
      out["peak_requested_bytes"] = cell.peak_requested_bytes;
      out["blowup"] =
          cell.blowup.has_value() ? Json(*cell.blowup) : Json(nullptr);
      out["lines"] = cell.lines;
      out["shared_lines"] = cell.shared_lines;
      out["check"] = {{"requests", cell.events},
                      {"expected", cell.expected_events},
                      {"failed", cell.failed},
                      {"corrupted", cell.corrupted},
                      {"overlaps", cell.overlaps}};
    }
    json["cells"].push_back(std::move(out));
  }
  return json.dump(1) + "\n";
}

std::string ModelTableJson(const ModelTable& table) {
  const ModelTableRequest& request = table.request;
  Json json = Head("arenalab.models/1", table.trace, table.requests,
                   request.scope, request.touch, request.rounds, request.seed);
  json["again"] =
      table.again.median > 0 ? IntervalJson(table.again) : Json(nullptr);
  json["cells"] = Json::array();
  for (const ModelCell& cell : table.cells) {
    Json out = {{"model", ModelName(cell.model)},
                {"allocator", cell.allocator},
                {"workers", cell.workers},
                {"not_measured", OrNull(cell.not_measured)}};
    if (cell.not_measured.empty()) {
      out["time"] = TimedJson(cell.timed);
      out["scaling"] =
          cell.scaling.median > 0 ? IntervalJson(cell.scaling) : Json(nullptr);
      out["peak_bytes"] =
          cell.peak_bytes < 0 ? Json(nullptr) : Json(cell.peak_bytes);
      out["end_bytes"] = cell.end_bytes;
    }
    json["cells"].push_back(std::move(out));
  }
  return json.dump(1) + "\n";
}

}  // namespace arenalab
