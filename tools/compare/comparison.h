// Two results files side by side: what `arenalab compare` decides.
//
// EXACT metrics (the pymalloc model's, for the same trace) are compared to the
// byte, against a budget; MEASURED ones (resident memory of other allocators)
// by a range, and only on the same machine and library, in bytes (ratios of
// them are left out: a range of a small ratio says nothing); TIMES of separate
// runs decide nothing: at most they are inconclusive. `arenalab replay`
// compares times within one run, in interleaved rounds.
//
// THREADS. Plain values. ERRORS. InputError when the files cannot be compared
// at all: not results, another scope, no allocator in common.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/compare/budget.h"
#include "tools/compare/metrics.h"

namespace arenalab {

enum class Verdict {
  kRegression,
  kImprovement,
  kInconclusive,
  kUnchanged,
  kTold,  // changed, but neither better nor worse
};

struct ComparedMetric {
  std::string allocator;  // as it was spelled
  MetricKind kind;
  Certainty certainty = Certainty::kExact;
  double base = 0;
  double now = 0;
  double allowed = 0;  // growth that is no regression
  Verdict verdict = Verdict::kUnchanged;
  std::string why;     // kInconclusive: in a few words
  std::string detail;  // band or interval that was judged by; "" where none
};

struct Comparison {
  std::string base_file;
  std::string new_file;
  std::string trace;  // the program's command line, or the trace's file
  bool same_trace = false;
  std::vector<ComparedMetric> metrics;
  // Of the base's metrics and allocators, how many the new file lacks.
  int missing = 0;
  std::vector<std::string> notes;  // what a reader must know, one line each

  int Count(Verdict verdict) const;
  // The worst of all, regression first; what is missing is inconclusive.
  Verdict verdict() const;
};

struct CompareOptions {
  Budgets budgets;
  double range = 0.10;  // for measured memory, of the base
  // ... and never less than this: pages that come and go with a process.
  double least_range_bytes = 1 << 20;
};

// `*_file` are names for messages; the objects are arenalab.results/1.
Comparison Compare(const std::string& base_file, const nlohmann::json& base,
                   const std::string& new_file, const nlohmann::json& now,
                   const CompareOptions& options);

std::string_view NameOf(Verdict verdict);

}  // namespace arenalab
