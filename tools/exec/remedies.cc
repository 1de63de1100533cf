// The list, and what came of it; contract in remedies.h.
#include "tools/exec/remedies.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace arenalab {
namespace {

// Less than this is what two runs of the same differ by.
constexpr double kWorthMib = 1.0;

double SavedMib(std::uint64_t before, std::uint64_t after) {
  return (static_cast<double>(before) - static_cast<double>(after)) /
         (1024 * 1024);
}

std::string SavedText(const std::optional<std::uint64_t>& before,
                      const std::optional<std::uint64_t>& after) {
  if (!before || !after) return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%+.1f", SavedMib(*before, *after));
  return text;
}

// At the valley, or where there is none at the end: what a service that idles
// keeps.
double SavedWhenIdle(const ArmResult& first, const ArmResult& result) {
  if (first.median.valley_bytes && result.median.valley_bytes) {
    return std::max(
        SavedMib(*first.median.valley_bytes, *result.median.valley_bytes),
        SavedMib(first.median.end_bytes, result.median.end_bytes));
  }
  return SavedMib(first.median.end_bytes, result.median.end_bytes);
}

}  // namespace

std::vector<Arm> Remedies(const std::string& startup) {
  const Variable jemalloc{"LD_PRELOAD", "libjemalloc.so.2"};
  const Variable mimalloc{"LD_PRELOAD", "libmimalloc.so.2"};
  const Variable no_pymalloc{"PYTHONMALLOC", "malloc"};
  std::vector<Arm> arms = {
      {"as it is", {}, ""},
      {"MALLOC_ARENA_MAX=2", {{"MALLOC_ARENA_MAX", "2"}}, ""},
      {"trim threshold 128 KiB", {{"MALLOC_TRIM_THRESHOLD_", "131072"}}, ""},
      {"jemalloc, raw only", {jemalloc}, ""},
      {"mimalloc, raw only", {mimalloc}, ""},
      {"jemalloc, everything", {no_pymalloc, jemalloc}, ""},
      {"mimalloc, everything", {no_pymalloc, mimalloc}, ""},
      {"PYTHONMALLOC=malloc", {no_pymalloc}, ""},
  };
  if (!startup.empty()) {
    arms.push_back(
        {"gc.freeze before fork",
         {{"PYTHONPATH", startup}},
         "in the program, before it forks: import gc, os; "
         "os.register_at_fork(before=lambda: (gc.collect(), gc.freeze()))"});
  }
  // Policies and geometries of pymalloc that CPython does not have.
  for (const char* settings :
       {"cpython-3.9", "madvise_free_pools:1", "arena_choice:address"}) {
    Arm arm = AllocatorArm("pymalloc{" + std::string(settings) + "}",
                           Scope::kMemAndObject);
    arms.push_back(std::move(arm));
  }
  return arms;
}

std::string RemedyTable(const ArmComparison& comparison,
                        const std::vector<std::string>& command) {
  const ArmResult& first = comparison.arms.front();
  std::size_t columns = 10;
  for (const ArmResult& result : comparison.arms) {
    columns = std::max(columns, result.arm.name.size());
  }
  const int width = static_cast<int>(columns);
  char text[320];
  std::snprintf(text, sizeof(text), "%-*s %10s %10s %10s  %s\n", width,
                "MiB saved at", "peak", "valley", "end", "CPU, ratio");
  std::string table = text;
  for (const ArmResult& result : comparison.arms) {
    if (&result == &first) continue;
    char cpu[64];
    std::snprintf(cpu, sizeof(cpu), "%.2f [%.2f-%.2f]", result.cpu.median,
                  result.cpu.low, result.cpu.high);
    std::snprintf(
        text, sizeof(text), "%-*s %10s %10s %10s  %s%s\n", width,
        result.arm.name.c_str(),
        SavedText(first.median.peak_bytes, result.median.peak_bytes).c_str(),
        SavedText(first.median.valley_bytes, result.median.valley_bytes)
            .c_str(),
        SavedText(first.median.end_bytes, result.median.end_bytes).c_str(), cpu,
        result.median.status == first.median.status
            ? ""
            : ("  exit " + std::to_string(result.median.status)).c_str());
    table += text;
  }
  std::snprintf(
      text, sizeof(text),
      "as it is: peak %.1f MiB, end %.1f MiB, CPU %.2f s; against itself "
      "%.2f [%.2f-%.2f]; %d rounds\n",
      static_cast<double>(first.median.peak_bytes) / (1024 * 1024),
      static_cast<double>(first.median.end_bytes) / (1024 * 1024),
      first.median.cpu_s, comparison.again.median, comparison.again.low,
      comparison.again.high, comparison.rounds);
  table += text;

  std::vector<const ArmResult*> worth;
  for (const ArmResult& result : comparison.arms) {
    if (&result != &first && result.median.status == first.median.status &&
        SavedWhenIdle(first, result) >= kWorthMib) {
      worth.push_back(&result);
    }
  }
  std::ranges::sort(worth, [&](const ArmResult* a, const ArmResult* b) {
    return SavedWhenIdle(first, *a) > SavedWhenIdle(first, *b);
  });
  if (worth.empty()) {
    return table + "\nNone saves 1 MiB at the valley or at the end.\n";
  }
  table += "\nTo copy, the one that keeps least when idle first:\n";
  for (const ArmResult* result : worth) {
    std::snprintf(text, sizeof(text), "  # %.1f MiB less, CPU %.2f\n",
                  SavedWhenIdle(first, *result), result->cpu.median);
    table += text + ("  " + LineOf(result->arm, command)) + "\n";
  }
  return table;
}

}  // namespace arenalab
