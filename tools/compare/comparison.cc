// Pairs the metrics of two results files and judges each pair.
#include "tools/compare/comparison.h"

#include <algorithm>
#include <cmath>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

// A field by path, or null.
json At(const json& object, std::initializer_list<const char*> path) {
  const json* at = &object;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return *at;
}

std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string Spelled(const json& allocator) {
  return allocator.value("spelled", allocator.value("name", "?"));
}

// What differs between the machines, in words; "" = nothing that matters.
std::string EnvironmentChange(const json& base, const json& now,
                              const json& base_allocator,
                              const json& new_allocator) {
  for (const char* key : {"cpu", "cores", "kernel", "libc", "page_bytes"}) {
    const json before = At(base, {"machine", key});
    const json after = At(now, {"machine", key});
    if (before != after) {
      return std::string(key) + " " + Text(before) + " -> " + Text(after);
    }
  }
  for (const char* key : {"version", "sha256"}) {
    const json before = At(base_allocator, {key});
    const json after = At(new_allocator, {key});
    if (before != after) {
      return std::string("library ") + key + " " + Text(before) + " -> " +
             Text(after);
    }
  }
  return "";
}

// Two times agree as far as their intervals overlap.
bool IntervalsOverlap(const json& base, const json& now) {
  const json before = At(base, {"time", "ratio_to_pymalloc"});
  const json after = At(now, {"time", "ratio_to_pymalloc"});
  const json values[] = {At(before, {"low"}), At(before, {"high"}),
                         At(after, {"low"}), At(after, {"high"})};
  for (const json& value : values) {
    if (!value.is_number()) return false;
  }
  return values[0].get<double>() <= values[3].get<double>() &&
         values[2].get<double>() <= values[1].get<double>();
}

Verdict Direction(double growth, bool gated) {
  if (!gated) return Verdict::kTold;
  return growth > 0 ? Verdict::kRegression : Verdict::kImprovement;
}

}  // namespace

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRegression:
      return "regression";
    case Verdict::kImprovement:
      return "improvement";
    case Verdict::kInconclusive:
      return "inconclusive";
    case Verdict::kUnchanged:
      return "unchanged";
    case Verdict::kTold:
      break;
  }
  return "changed";
}

int Comparison::Count(Verdict verdict) const {
  return static_cast<int>(
      std::count_if(metrics.begin(), metrics.end(),
                    [&](const auto& m) { return m.verdict == verdict; }));
}

Verdict Comparison::verdict() const {
  if (Count(Verdict::kRegression) != 0) return Verdict::kRegression;
  if (Count(Verdict::kInconclusive) != 0 || missing != 0) {
    return Verdict::kInconclusive;
  }
  return Count(Verdict::kImprovement) != 0 ? Verdict::kImprovement
                                           : Verdict::kUnchanged;
}

Comparison Compare(const std::string& base_file, const json& base,
                   const std::string& new_file, const json& now,
                   const CompareOptions& options) {
  Comparison result;
  result.base_file = base_file;
  result.new_file = new_file;
  const json program = At(now, {"trace", "program"});
  result.trace =
      Text(program.is_string() ? program : At(now, {"trace", "file"}));

  for (const char* key : {"scope", "touch"}) {
    const json before = At(base, {"options", key});
    const json after = At(now, {"options", key});
    if (before != after) {
      throw InputError(new_file + ": its " + key + " is " + Text(after) +
                       ", that of " + base_file + " is " + Text(before) +
                       "; replay both alike");
    }
  }
  const json hash = At(now, {"trace", "hash"});
  result.same_trace = hash.is_string() && hash == At(base, {"trace", "hash"});
  if (!result.same_trace) {
    result.notes.push_back("the traces are not the same (" +
                           Text(At(base, {"trace", "hash"})) + ", " +
                           Text(hash) +
                           "), so nothing is decided; replay one "
                           "trace with both versions");
  }
  for (const auto& [file, results] :
       {std::pair{&base_file, &base}, std::pair{&new_file, &now}}) {
    if (At(*results, {"complete"}) == false) {
      result.notes.push_back(*file + " is of an incomplete trace");
    }
    if (At(*results, {"verify", "status"}) == "mismatch") {
      result.notes.push_back(*file +
                             ": the model did not reproduce the recording");
    }
  }

  bool common = false;
  for (const json& after : now["allocators"]) {
    const std::string spelled = Spelled(after);
    const auto before = std::find_if(
        base["allocators"].begin(), base["allocators"].end(),
        [&](const json& other) { return Spelled(other) == spelled; });
    if (before == base["allocators"].end()) {
      result.notes.push_back(spelled + " is new: nothing to compare with");
      continue;
    }
    common = true;
    const std::string environment =
        EnvironmentChange(base, now, *before, after);
    for (const MetricKind& kind : kMetricKinds) {
      const std::optional<double> old_value = MetricValue(*before, kind);
      const std::optional<double> new_value = MetricValue(after, kind);
      if (old_value.has_value() != new_value.has_value()) {
        result.notes.push_back(spelled + ": " + std::string(kind.name) +
                               " is known in one file only");
        result.missing += old_value.has_value();
      }
      if (!old_value.has_value() || !new_value.has_value()) continue;
      ComparedMetric metric;
      metric.allocator = spelled;
      metric.kind = kind;
      metric.certainty = MetricCertainty(after, kind);
      metric.base = *old_value;
      metric.now = *new_value;
      if (metric.certainty == Certainty::kMeasured &&
          kind.unit == Unit::kRatio) {
        continue;
      }
      const double growth = metric.now - metric.base;
      switch (metric.certainty) {
        case Certainty::kExact:
          metric.allowed =
              AllowedGrowth(options.budgets, kind.name, metric.base);
          if (growth != 0 && !result.same_trace) {
            metric.verdict = Verdict::kInconclusive;
            metric.why = "another trace";
          } else if (growth < 0 || growth > metric.allowed) {
            metric.verdict = Direction(growth, kind.gated);
          }
          break;
        case Certainty::kMeasured:
          metric.allowed = std::max(options.range * std::abs(metric.base),
                                    options.least_range_bytes);
          if (std::abs(growth) <= metric.allowed) break;
          metric.verdict = Direction(growth, kind.gated);
          metric.why = !result.same_trace ? "another trace" : environment;
          if (!metric.why.empty()) metric.verdict = Verdict::kInconclusive;
          break;
        case Certainty::kTimed:
          if (growth == 0 || IntervalsOverlap(*before, after)) break;
          metric.verdict = Verdict::kInconclusive;
          metric.why = "times of separate runs";
          break;
      }
      result.metrics.push_back(std::move(metric));
    }
  }
  for (const json& before : base["allocators"]) {
    const auto& after = now["allocators"];
    if (std::none_of(after.begin(), after.end(), [&](const json& other) {
          return Spelled(other) == Spelled(before);
        })) {
      result.notes.push_back(Spelled(before) + " is gone from " + new_file);
      ++result.missing;
    }
  }
  if (!common) {
    throw InputError(new_file + " and " + base_file +
                     " have no allocator in common");
  }
  return result;
}

}  // namespace arenalab
