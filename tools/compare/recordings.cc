// Many recordings against many, and one allocator against another; contract in
// recordings.h.
#include "tools/compare/recordings.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/compare/band.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

constexpr double kUnknownArenaBytes = 1 << 20;
constexpr MetricKind kTimeKind{"time", Unit::kRatio, "time", "", true};

std::string Spelled(const json& allocator) {
  return allocator.value("spelled", allocator.value("name", "?"));
}

// The allocator of each recording that is spelled so; short where one lacks it.
std::vector<json> AllocatorsOf(const std::vector<json>& recordings,
                               const std::string& spelled) {
  std::vector<json> found;
  for (const json& recording : recordings) {
    for (const json& allocator : recording["allocators"]) {
      if (Spelled(allocator) == spelled) found.push_back(allocator);
    }
  }
  return found;
}

std::vector<double> Values(const std::vector<json>& allocators,
                           const MetricKind& kind) {
  std::vector<double> values;
  for (const json& allocator : allocators) {
    const auto value = MetricValue(allocator, kind);
    if (value.has_value()) values.push_back(*value);
  }
  return values;
}

double QuantumOf(const json& allocator, const MetricKind& kind,
                 Certainty certainty, double median,
                 const CompareOptions& options) {
  if (kind.unit == Unit::kCount) return 1;
  if (certainty == Certainty::kMeasured) {
    return std::max(options.range * std::abs(median),
                    options.least_range_bytes);
  }
  const auto arenas = allocator.find("arenas");
  if (arenas != allocator.end() && arenas->is_object()) {
    return arenas->value("arena_bytes", kUnknownArenaBytes);
  }
  return kUnknownArenaBytes;
}

std::string BandText(const Band& band, std::size_t recordings, Unit unit) {
  char text[96];
  if (unit == Unit::kBytes) {
    std::snprintf(text, sizeof(text), "band %.2f to %.2f MiB of %zu recordings",
                  band.low / (1 << 20), band.high / (1 << 20), recordings);
  } else {
    std::snprintf(text, sizeof(text), "band %.0f to %.0f of %zu recordings",
                  band.low, band.high, recordings);
  }
  return text;
}

void Judge(const Band& band, ComparedMetric* metric) {
  if (metric->now >= band.low && metric->now <= band.high) return;
  metric->verdict = !metric->kind.gated       ? Verdict::kTold
                    : metric->now > band.high ? Verdict::kRegression
                                              : Verdict::kImprovement;
}

std::string Program(const json& results) {
  const auto trace = results.find("trace");
  if (trace == results.end() || !trace->is_object()) return "?";
  for (const char* key : {"program", "file"}) {
    const auto text = trace->find(key);
    if (text != trace->end() && text->is_string())
      return text->get<std::string>();
  }
  return "?";
}

// "" or what of the machine is not as it was.
std::string MachineChange(const json& base, const json& now) {
  for (const char* key : {"cpu", "cores", "kernel", "libc", "page_bytes"}) {
    const json before =
        base.value("machine", json::object()).value(key, json());
    const json after = now.value("machine", json::object()).value(key, json());
    if (before != after) {
      return "environment changed: " + std::string(key) + " " + before.dump() +
             " -> " + after.dump();
    }
  }
  return "";
}

// `results` with one allocator, nameless but for its kind: it is compared with
// another on purpose.
json Only(const json& results, std::size_t number, const std::string& spelled) {
  json only = results;
  json allocator = results["allocators"].at(number);
  allocator["spelled"] = spelled;
  for (const char* key : {"version", "sha256", "time"}) allocator.erase(key);
  only["allocators"] = json::array({allocator});
  return only;
}

std::vector<double> Numbers(const json& allocator, const char* key) {
  const auto time = allocator.find("time");
  if (time == allocator.end() || !time->is_object()) return {};
  const auto values = time->find(key);
  if (values == time->end() || !values->is_array()) return {};
  return values->get<std::vector<double>>();
}

}  // namespace

Comparison CompareRecordings(const std::string& base_name,
                             const std::vector<json>& base,
                             const std::string& new_name,
                             const std::vector<json>& now,
                             const CompareOptions& options) {
  if (base.empty() || now.empty()) {
    throw InputError((base.empty() ? base_name : new_name) +
                     ": holds no results");
  }
  Comparison result;
  result.base_file = base_name;
  result.new_file = new_name;
  result.trace = Program(now[0]);
  const bool enough =
      base.size() >= kLeastRecordings && now.size() >= kLeastRecordings;
  if (!enough) {
    result.notes.push_back(std::to_string(base.size()) +
                           " recordings of the base, " +
                           std::to_string(now.size()) +
                           " new ones: " + std::to_string(kLeastRecordings) +
                           " a side are needed to decide");
    result.missing = 1;
  }
  const std::string environment = MachineChange(base[0], now[0]);
  if (!environment.empty()) result.notes.push_back(environment);
  for (const std::vector<json>* side : {&base, &now}) {
    for (const json& recording : *side) {
      if (recording.value("verify", json()).is_object() &&
          recording["verify"].value("status", "") == "mismatch") {
        result.notes.push_back((side == &base ? base_name : new_name) +
                               ": the model did not reproduce a recording");
        result.missing += 1;
      }
    }
  }
  bool common = false;
  for (const json& allocator : base[0]["allocators"]) {
    const std::string spelled = Spelled(allocator);
    const std::vector<json> before = AllocatorsOf(base, spelled);
    const std::vector<json> after = AllocatorsOf(now, spelled);
    if (after.empty()) {
      result.notes.push_back(spelled + " is gone from " + new_name);
      ++result.missing;
      continue;
    }
    common = true;
    for (const MetricKind& kind : kMetricKinds) {
      if (kind.unit == Unit::kRatio) continue;
      const std::vector<double> old_values = Values(before, kind);
      const std::vector<double> new_values = Values(after, kind);
      if (old_values.empty() && new_values.empty()) continue;
      if (old_values.size() != base.size() || new_values.size() != now.size()) {
        result.notes.push_back(spelled + ": " + std::string(kind.name) +
                               " is not known of every recording");
        continue;
      }
      ComparedMetric metric;
      metric.allocator = spelled;
      metric.kind = kind;
      metric.certainty = MetricCertainty(allocator, kind);
      metric.base = MedianOf(old_values);
      metric.now = MedianOf(new_values);
      const Band band = BandOf(
          old_values, new_values,
          QuantumOf(allocator, kind, metric.certainty, metric.base, options),
          AllowedGrowth(options.budgets, kind.name, metric.base));
      metric.allowed = band.high - metric.base;
      metric.detail = BandText(band, base.size(), kind.unit);
      Judge(band, &metric);
      if (metric.verdict != Verdict::kUnchanged) {
        if (!enough) {
          metric.why = "too few recordings";
        } else if (metric.certainty == Certainty::kMeasured) {
          metric.why = environment;
        }
        if (!metric.why.empty()) metric.verdict = Verdict::kInconclusive;
      }
      result.metrics.push_back(std::move(metric));
    }
  }
  if (!common) {
    throw InputError(new_name + " and " + base_name +
                     " have no allocator in common");
  }
  return result;
}

Comparison CompareWithin(const std::string& name, const json& results,
                         std::size_t base, std::size_t now,
                         const CompareOptions& options,
                         const TimeGateOptions& times) {
  const json& before = results["allocators"].at(base);
  const json& after = results["allocators"].at(now);
  const std::string label = Spelled(before) + " -> " + Spelled(after);
  Comparison result =
      Compare(name + ", " + Spelled(before), Only(results, base, label),
              name + ", " + Spelled(after), Only(results, now, label), options);
  const std::vector<double> base_times = Numbers(before, "gross_ns_per_event");
  const std::vector<double> again = Numbers(before, "again_ns_per_event");
  const std::vector<double> new_times = Numbers(after, "gross_ns_per_event");
  if (base_times.empty() || again.size() != base_times.size() ||
      new_times.size() != base_times.size()) {
    return result;
  }
  const TimeGate gate = JudgeTimes(base_times, again, new_times, times);
  ComparedMetric metric;
  metric.allocator = label;
  metric.kind = kTimeKind;
  metric.certainty = Certainty::kTimed;
  metric.base = 1;
  metric.now = gate.effect;
  metric.allowed = times.threshold;
  metric.verdict = gate.verdict;
  metric.why = gate.why;
  char text[160];
  std::snprintf(text, sizeof(text),
                "%.4f [%.4f, %.4f], A/A floor %.1f %%, %zu rounds", gate.effect,
                gate.low, gate.high, 100 * gate.floor, base_times.size());
  metric.detail = text;
  result.metrics.push_back(std::move(metric));
  return result;
}

}  // namespace arenalab
