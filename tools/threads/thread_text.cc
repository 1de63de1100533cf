// The tables of threads and of models, for a terminal.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "tools/replay/readable.h"
#include "tools/threads/model_table.h"
#include "tools/threads/thread_table.h"

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

std::string Rate(const TimedCell& timed) {
  if (timed.ns_per_event.empty()) return "-";
  const Interval rate = timed.events_per_second();
  return Format("%.2f [%.2f, %.2f]", rate.median / 1e6, rate.low / 1e6,
                rate.high / 1e6);
}

std::string Bytes(std::int64_t bytes) {
  return bytes < 0 ? "-" : ReadableBytes(static_cast<double>(bytes));
}

// More threads than cores, or than were recorded: one line for all allocators.
bool SaidOnce(const std::string& not_measured, std::string* said,
              const std::string& what) {
  if (!not_measured.starts_with("not measured")) return false;
  const std::string line = what + ": " + not_measured + "\n";
  if (said->find(line) == std::string::npos) *said += line;
  return true;
}

std::string Ratio(const TimeRatio& ratio) {
  return Format("%.3f [%.3f, %.3f] %s", ratio.median, ratio.low, ratio.high,
                std::string(TimeVerdictName(ratio.verdict)).c_str());
}

}  // namespace

std::string ThreadTableText(const ThreadTable& table) {
  const ThreadTableRequest& request = table.request;
  std::string text = Format(
      "%s: %s requests of %u %s (scope %s), %s handed to another thread\n",
      table.trace.c_str(), ReadableCount(table.requests).c_str(),
      table.recorded_threads,
      table.recorded_threads == 1 ? "thread" : "threads",
      std::string(ScopeName(request.scope)).c_str(),
      ReadableCount(table.handovers).c_str());
  text +=
      Format("%s", std::string(InterleavingName(request.interleaving)).c_str());
  if (request.interleaving == Interleaving::kFaithful) {
    text += Format(" (window %s steps)", ReadableCount(request.window).c_str());
  }
  text += Format(
      "; timed: touch %s, %d interleaved rounds; memory: every block filled, "
      "verified; %u cores\n\n",
      std::string(TouchName(request.touch)).c_str(), request.rounds,
      UsableCores());
  text += Format("%7s  %-22s %22s %7s %11s %11s %7s %15s  %s\n", "threads",
                 "allocator", "Mreq/s [95 %]", "waiting", "peak", "end",
                 "blowup", "shared lines", "time to the first [95 %]");
  std::string beyond;
  for (const ThreadCell& cell : table.cells) {
    if (SaidOnce(cell.not_measured, &beyond,
                 std::to_string(cell.threads) + " threads")) {
      continue;
    }
    const std::string name = cell.allocator + (cell.locked ? ", one lock" : "");
    if (!cell.not_measured.empty()) {
      text += Format("%7u  %-22s %s\n", cell.threads, name.c_str(),
                     cell.not_measured.c_str());
      continue;
    }
    text += Format(
        "%7u  %-22s %22s %6.1f%% %11s %11s %7s %15s  %s\n", cell.threads,
        name.c_str(), Rate(cell.timed).c_str(),
        100 * cell.timed.waiting_median(), Bytes(cell.peak_bytes).c_str(),
        Bytes(cell.end_bytes).c_str(),
        cell.blowup.has_value() ? Format("%.2f", *cell.blowup).c_str() : "-",
        Format("%s/%s", ReadableCount(cell.shared_lines).c_str(),
               ReadableCount(cell.lines).c_str())
            .c_str(),
        cell.timed.ns_per_event.empty() ? "-" : Ratio(cell.ratio).c_str());
    if (cell.failed != 0) {
      text += Format("%7s  %s requests were not served\n", "",
                     ReadableCount(cell.failed).c_str());
    }
  }
  text += beyond;
  std::uint64_t proved = 0;
  for (const ThreadCell& cell : table.cells) proved += cell.events;
  text += table.content_proved()
              ? Format(
                    "\ncontent proved: all %s requests executed, every block "
                    "held its bytes, none overlap\n",
                    ReadableCount(proved).c_str())
              : "\nCONTENT NOT PROVED:\n";
  for (const ThreadCell& cell : table.cells) {
    if (!cell.not_measured.empty() ||
        (cell.events == cell.expected_events && cell.corrupted == 0 &&
         cell.overlaps == 0)) {
      continue;
    }
    text += Format(
        "  %s, %u threads: %s of %s requests, %s blocks lost bytes, "
        "%s overlaps\n",
        cell.allocator.c_str(), cell.threads,
        ReadableCount(cell.events).c_str(),
        ReadableCount(cell.expected_events).c_str(),
        ReadableCount(cell.corrupted).c_str(),
        ReadableCount(cell.overlaps).c_str());
  }
  for (const std::string& note : table.notes) {
    text += "warning: " + note + "\n";
  }
  return text;
}

std::string ModelTableText(const ModelTable& table) {
  std::string text = Format(
      "%s: %s requests a worker (scope %s); timed: touch %s, %d "
      "interleaved rounds; memory: every block filled; %u cores\n\n",
      table.trace.c_str(), ReadableCount(table.requests).c_str(),
      std::string(ScopeName(table.request.scope)).c_str(),
      std::string(TouchName(table.request.touch)).c_str(), table.request.rounds,
      UsableCores());
  text += Format("%-13s %-22s %7s %22s %21s %11s %11s\n", "model", "allocator",
                 "workers", "Mreq/s [95 %]", "scaling [95 %]", "peak", "end");
  std::string beyond;
  for (const ModelCell& cell : table.cells) {
    if (SaidOnce(cell.not_measured, &beyond,
                 std::to_string(cell.workers) + " workers")) {
      continue;
    }
    text +=
        Format("%-13s %-22s %7u ", std::string(ModelName(cell.model)).c_str(),
               cell.allocator.c_str(), cell.workers);
    if (!cell.not_measured.empty()) {
      text += cell.not_measured + "\n";
      continue;
    }
    const std::string scaling =
        cell.scaling.median > 0
            ? Format("%.2f [%.2f, %.2f]", cell.scaling.median, cell.scaling.low,
                     cell.scaling.high)
            : "-";
    text += Format("%22s %21s %11s %11s\n", Rate(cell.timed).c_str(),
                   scaling.c_str(), Bytes(cell.peak_bytes).c_str(),
                   Bytes(cell.end_bytes).c_str());
  }
  text += beyond;
  if (table.again.median > 0) {
    text += Format(
        "\nA/A: the first row against itself %.3f [%.3f, %.3f]; a "
        "difference inside that is none\n",
        table.again.median, table.again.low, table.again.high);
  }
  return text;
}

}  // namespace arenalab
