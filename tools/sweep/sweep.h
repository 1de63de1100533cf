// What if pymalloc had other values? Every combination of the values of some
// settings, over many traces, on the clone: computed, so the same to the byte
// on every machine and with any number of threads.
//
//   point    one combination: settings for the heap. Point 0 is the base: the
//            generation alone
//   row      one point on one trace
//   ratio    of a point: geometric mean over the traces of its value / the
//            base's; traces where either is 0 are left out
//   front    the points that no other beats: none is as good in every
//            objective and better in one (Pareto)
//
// Objectives, less is better: committed bytes at the peak, at the last valley
// (the end, where there is none), over the run (the integral over allocated
// bytes), and arenas acquired and released per million requests.
//
// Errors: InputError. Threads: `jobs` of its own; one caller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

// `KEY=V1,V2`. Throws where it is none, or a value is named twice.
struct SweptKey {
  std::string key;
  std::vector<std::string> values;
};
SweptKey ParseSweptKey(std::string_view text);

struct SweepRequest {
  std::vector<std::string> traces;
  std::vector<SweptKey> keys;
  std::string geometry;  // where no key is `geometry`; "": the recorded one
  Scope scope = Scope::kPython;
  unsigned jobs = 1;
  std::size_t samples = 200;  // along each trace
  // (rows that are done, rows); called from one thread at a time.
  std::function<void(std::size_t, std::size_t)> progress;
};

inline constexpr std::array<std::string_view, 4> kObjectives = {
    "peak_committed_bytes", "last_valley_committed_bytes",
    "mean_committed_bytes", "arena_calls_per_million"};
using Objectives = std::array<double, kObjectives.size()>;

struct SweepRow {
  std::size_t trace;
  std::size_t point;
  std::string settings;  // with the geometry spelled out
  Objectives values{};
  std::uint64_t peak_held_bytes = 0;
  std::uint64_t last_valley_held_bytes = 0;
  std::uint64_t arenas_created = 0;
  std::uint64_t arenas_released = 0;
  std::uint64_t failed_requests = 0;
};

struct SweepPoint {
  std::vector<std::pair<std::string, std::string>> changed;  // none: the base
  std::array<std::optional<double>, kObjectives.size()> ratios;
  bool on_front = false;
};

struct SweptTrace {
  std::string path;
  std::string hash;
  std::string geometry;  // the base's
  std::uint64_t steps;
};

struct SweepResult {
  std::vector<SweptTrace> traces;
  std::vector<SweepPoint> points;
  std::vector<SweepRow> rows;  // by trace, then by point
};

SweepResult Sweep(const SweepRequest& request);

// Of rows of equal length: those that no other dominates. Equal rows do not
// dominate each other.
std::vector<bool> ParetoFront(const std::vector<std::vector<double>>& points);

// --- As text
std::string SweepTable(const SweepResult& result);
std::string SweepCsv(const SweepResult& result);
std::string SweepJson(const SweepResult& result,
                      const std::vector<std::string>& command);

}  // namespace arenalab
