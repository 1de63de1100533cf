// Combinations, threads, ratios and the front; contract in sweep.h.
#include "tools/sweep/sweep.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tools/replay/hints.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr char kDefaultGeometry[] = "cpython-3.13";
constexpr std::string_view kGeometryKey = "geometry";
// A sweep of more is a mistake of the command line.
constexpr std::size_t kMostPoints = 100'000;

std::string Canonical(const std::string& name) {
  const auto canonical = ResolveGeometry(name);
  if (!canonical.has_value()) {
    throw InputError("geometry '" + name +
                     "': there is none; a release as cpython-3.12");
  }
  return std::string(*canonical);
}

// The base, then each combination, the last key's values turning fastest.
std::vector<SweepPoint> PointsOf(const std::vector<SweptKey>& keys) {
  std::size_t count = keys.empty() ? 0 : 1;
  for (const SweptKey& key : keys) {
    count *= key.values.size();
    if (count > kMostPoints) {
      throw InputError("a sweep of more than " + std::to_string(kMostPoints) +
                       " combinations");
    }
  }
  std::vector<SweepPoint> points(1);
  for (std::size_t i = 0; i < count; ++i) {
    SweepPoint point;
    std::size_t rest = i;
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
      point.changed.emplace_back(key->key,
                                 key->values[rest % key->values.size()]);
      rest /= key->values.size();
    }
    std::ranges::reverse(point.changed);
    points.push_back(std::move(point));
  }
  return points;
}

std::string SettingsOf(const SweepPoint& point, const std::string& base) {
  std::string geometry = base;
  std::string text;
  for (const auto& [key, value] : point.changed) {
    if (key == kGeometryKey) {
      geometry = Canonical(value);
    } else {
      text += "," + key + ":" + value;
    }
  }
  return std::string(kGeometryKey) + ":" + geometry + text;
}

// Throws where the heap would refuse the settings on this trace.
HeapSettings Checked(const std::string& settings, const CompiledTrace& trace) {
  HeapSettings values{};
  if (const char* error = ReadHeapSettings(settings, &values)) {
    throw InputError("pymalloc{" + settings + "}: " + error);
  }
  if (const char* missing = MissingForLanes(trace, values.policy.lanes)) {
    throw InputError("pymalloc{" + settings + "}: " + missing);
  }
  return values;
}

void Measure(const CompiledTrace& trace, const Samples& samples,
             const HeapSettings& values, SweepRow* row) {
  ModelOptions options;
  options.arena_offsets = RecordedOffsets(trace, values.geometry);
  const ModelRun run = RunModel(row->settings, trace, samples, options);
  const std::size_t low =
      samples.moments.last_valley().value_or(samples.moments.end);
  const std::vector<std::uint64_t>& clock = samples.timeline.allocated_bytes;
  double integral = 0;
  std::uint64_t peak = 0;
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    const std::uint64_t committed = run.samples[i].committed_bytes;
    peak = std::max(peak, committed);
    row->peak_held_bytes =
        std::max(row->peak_held_bytes, run.samples[i].waterfall.held_bytes());
    if (i > 0) {
      integral += static_cast<double>(committed) *
                  static_cast<double>(clock[i] - clock[i - 1]);
    }
  }
  row->last_valley_held_bytes = run.samples[low].waterfall.held_bytes();
  row->arenas_created = run.arenas_created;
  row->arenas_released = run.arenas_released;
  row->failed_requests = run.failed_requests;
  row->values = {
      static_cast<double>(peak),
      static_cast<double>(run.samples[low].committed_bytes),
      clock.back() == 0 ? 0 : integral / static_cast<double>(clock.back()),
      trace.steps == 0
          ? 0
          : 1e6 *
                static_cast<double>(run.arenas_created + run.arenas_released) /
                static_cast<double>(trace.steps)};
}

// Runs work(i) for every i below count, on `jobs` threads. The first failure by
// number is thrown, whichever came first.
void InParallel(std::size_t count, unsigned jobs,
                const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> failures(count);
  const auto run = [&] {
    for (std::size_t i; (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs && i < count; ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

void Compare(SweepResult* result) {
  const std::size_t points = result->points.size();
  std::vector<std::vector<double>> objectives(points);
  for (std::size_t p = 0; p < points; ++p) {
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      double logs = 0;
      int counted = 0;
      double sum = 0;
      for (std::size_t t = 0; t < result->traces.size(); ++t) {
        const double value = result->rows[t * points + p].values[o];
        const double base = result->rows[t * points].values[o];
        sum += value;
        if (value <= 0 || base <= 0) continue;
        logs += std::log(value / base);
        ++counted;
      }
      if (counted > 0) {
        result->points[p].ratios[o] = std::exp(logs / counted);
      }
      objectives[p].push_back(counted > 0 ? logs / counted : sum);
    }
  }
  const std::vector<bool> front = ParetoFront(objectives);
  for (std::size_t p = 0; p < points; ++p)
    result->points[p].on_front = front[p];
}

}  // namespace

SweptKey ParseSweptKey(std::string_view text) {
  const std::string whole(text);
  const std::size_t equals = whole.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw InputError("--sweep '" + whole + "': it is KEY=VALUE,VALUE");
  }
  SweptKey key{whole.substr(0, equals), {}};
  std::size_t begin = equals + 1;
  std::set<std::string> seen;
  for (;;) {
    const std::size_t comma = whole.find(',', begin);
    const std::string value = whole.substr(begin, comma - begin);
    if (value.empty() || !seen.insert(value).second) {
      throw InputError("--sweep '" + whole + "': " +
                       (value.empty() ? "a value is empty"
                                      : "'" + value + "' is there twice"));
    }
    key.values.push_back(value);
    if (comma == std::string::npos) return key;
    begin = comma + 1;
  }
}

SweepResult Sweep(const SweepRequest& request) {
  if (request.traces.empty()) throw InputError("a sweep over no trace");
  std::set<std::string> names;
  for (const SweptKey& key : request.keys) {
    if (!names.insert(key.key).second)
      throw InputError("--sweep " + key.key + ": it is given twice");
  }
  SweepResult result;
  result.points = PointsOf(request.keys);
  const std::size_t rows = result.points.size() * request.traces.size();
  std::mutex mutex;
  std::size_t done = 0;
  for (std::size_t t = 0; t < request.traces.size(); ++t) {
    TraceReader reader(request.traces[t]);
    std::string geometry = request.geometry;
    if (geometry.empty()) geometry = reader.Meta("geometry");
    if (geometry.empty()) geometry = kDefaultGeometry;
    geometry = Canonical(geometry);
    const CompiledTrace trace = Compile(reader, request.scope);
    const Samples samples = ChooseSamples(
        trace, GeometryOf(geometry)->max_small_bytes, request.samples);
    result.traces.push_back(
        {request.traces[t], reader.ContentHash(), geometry, trace.steps});
    std::vector<HeapSettings> values;
    const std::size_t first = result.rows.size();
    for (std::size_t p = 0; p < result.points.size(); ++p) {
      result.rows.push_back(
          {.trace = t,
           .point = p,
           .settings = SettingsOf(result.points[p], geometry)});
      values.push_back(Checked(result.rows.back().settings, trace));
    }
    InParallel(result.points.size(), request.jobs, [&](std::size_t p) {
      Measure(trace, samples, values[p], &result.rows[first + p]);
      const std::lock_guard<std::mutex> lock(mutex);
      if (request.progress) request.progress(++done, rows);
    });
  }
  Compare(&result);
  return result;
}

std::vector<bool> ParetoFront(const std::vector<std::vector<double>>& points) {
  const auto dominates = [](const std::vector<double>& a,
                            const std::vector<double>& b) {
    bool better = false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] > b[i]) return false;
      better = better || a[i] < b[i];
    }
    return better;
  };
  std::vector<bool> front;
  for (const std::vector<double>& point : points) {
    front.push_back(
        std::ranges::none_of(points, [&](const std::vector<double>& other) {
          return dominates(other, point);
        }));
  }
  return front;
}

}  // namespace arenalab
