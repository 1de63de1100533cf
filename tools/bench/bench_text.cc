// The table of benchmarks, for a terminal.
#include <cstdarg>
#include <cstdio>

#include "tools/bench/bench_table.h"
#include "tools/bench/workload.h"
#include "tools/replay/readable.h"

namespace arenalab {
namespace {

std::string Format(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

std::string Bytes(const std::optional<double>& bytes) {
  return bytes.has_value() ? ReadableBytes(*bytes) : "n/a";
}

std::string Memory(const BenchCell& cell) {
  std::string text;
  if (cell.live_bytes.has_value()) {
    text += "live " + Bytes(cell.live_bytes) + ", held " +
            Bytes(cell.held_bytes) + ", resident " + Bytes(cell.resident_bytes);
    if (cell.resident_bytes.has_value() && *cell.live_bytes > 0) {
      text += " (" + ReadableRatio(*cell.resident_bytes / *cell.live_bytes) +
              " of live)";
    }
  }
  if (cell.blowup.has_value()) text += Format(", blowup %.2f", *cell.blowup);
  if (cell.shared_lines.has_value() && cell.lines.has_value()) {
    text += Format("shared lines %.0f/%.0f", *cell.shared_lines, *cell.lines);
  }
  return text;
}

}  // namespace

std::string WorkloadList() {
  std::string text;
  for (const Workload& workload : Workloads()) {
    text += Format("%-18s %s\n", std::string(workload.name).c_str(),
                   std::string(workload.purpose).c_str());
  }
  return text;
}

std::string BenchTableText(const BenchTable& table) {
  std::string text = Format(
      "%d interleaved rounds, one process a run, fixed work%s; every "
      "block filled and verified; %u cores\n\n",
      table.request.rounds,
      table.request.divide == 1
          ? ""
          : Format(" / %u (no figures to quote)", table.request.divide).c_str(),
      UsableCores());
  std::string workload;
  for (const BenchCell& cell : table.cells) {
    if (cell.not_measured.starts_with("not measured")) continue;
    if (cell.workload != workload) {
      workload = cell.workload;
      text += Format("%s\n%9s %-22s %24s %31s  memory\n", workload.c_str(),
                     "threads", "allocator", "Mop/s [95 %]",
                     "time to the first [95 %]");
    }
    text += Format("%9u %-22s ", cell.threads, cell.allocator.c_str());
    if (!cell.not_measured.empty()) {
      text += cell.not_measured + "\n";
      continue;
    }
    std::string rate = "-";
    std::string ratio = "-";
    if (!cell.timed.ns_per_event.empty()) {
      const Interval interval = cell.timed.events_per_second();
      rate = Format("%.2f [%.2f, %.2f]", interval.median / 1e6,
                    interval.low / 1e6, interval.high / 1e6);
      ratio = Format("%.3f [%.3f, %.3f] %s", cell.ratio.median, cell.ratio.low,
                     cell.ratio.high,
                     std::string(TimeVerdictName(cell.ratio.verdict)).c_str());
    }
    text += Format("%24s %31s  %s%s\n", rate.c_str(), ratio.c_str(),
                   Memory(cell).c_str(), cell.wrong ? "  CONTENT LOST" : "");
  }
  std::string beyond;
  for (const std::uint32_t threads : table.request.threads) {
    const std::string why = BeyondCores(threads);
    if (!why.empty())
      beyond += std::to_string(threads) + " threads: " + why + "\n";
  }
  return text + (beyond.empty() ? "" : "\n" + beyond);
}

}  // namespace arenalab
