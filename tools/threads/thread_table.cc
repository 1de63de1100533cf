// All cells of the table of threads; formulas in thread_table.h.
#include "tools/threads/thread_table.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "tools/replay/measure_ratio.h"
#include "tools/threads/thread_streams.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

constexpr std::uint32_t kMoments = 24;

// One number of threads: its operations, timed and with moments.
struct Width {
  std::uint32_t threads;
  std::string not_measured;
  std::unique_ptr<ThreadStreams> timed{};
  std::unique_ptr<ThreadStreams> tracked{};
};

std::vector<Width> MakeWidths(const CompiledTrace& trace,
                              const ThreadTableRequest& request,
                              std::uint32_t recorded) {
  const std::uint64_t window =
      request.interleaving == Interleaving::kFaithful ? request.window : 0;
  const std::vector<std::uint64_t> moments = ThreadMoments(trace, kMoments);
  std::vector<std::uint32_t> counts = request.threads;
  if (request.interleaving == Interleaving::kSerial) counts = {1};
  std::vector<Width> widths;
  for (const std::uint32_t threads : counts) {
    Width width{.threads = threads, .not_measured = BeyondCores(threads)};
    if (threads > recorded) {
      width.not_measured = "not measured: the recording has " +
                           std::to_string(recorded) +
                           (recorded == 1 ? " thread" : " threads");
    }
    if (width.not_measured.empty()) {
      width.timed = std::make_unique<ThreadStreams>(
          trace, StreamOptions{.streams = threads,
                               .window = threads > 1 ? window : 0});
      width.tracked = std::make_unique<ThreadStreams>(
          trace, StreamOptions{.streams = threads,
                               .window = threads > 1 ? window : 0,
                               .moments = moments});
    }
    widths.push_back(std::move(width));
  }
  return widths;
}

// The cell with as many threads that the others of its width are set against.
std::size_t ReferenceOf(const std::vector<ThreadCell>& cells,
                        std::uint32_t threads) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].threads == threads && cells[i].not_measured.empty()) return i;
  }
  return cells.size();
}

void TakeTimes(const std::vector<TimedCell>& measured,
               const std::vector<std::size_t>& places, int rounds,
               std::vector<ThreadCell>* cells) {
  for (std::size_t i = 0; i < measured.size(); ++i) {
    (*cells)[places[i]].timed = measured[i];
  }
  for (std::size_t i = 0; i < cells->size(); ++i) {
    ThreadCell& cell = (*cells)[i];
    if (cell.timed.ns_per_event.empty()) continue;
    const std::size_t first = ReferenceOf(*cells, cell.threads);
    const TimedCell& reference = (*cells)[first].timed;
    const TimeRatio again = RatioOf(reference.again, reference.ns_per_event, 7);
    cell.ratio = i == first ? again
                            : RatioOf(cell.timed.ns_per_event,
                                      reference.ns_per_event, 7 + i);
    cell.ratio.verdict = i == first && rounds >= kLeastRounds
                             ? TimeVerdict::kNoDifference
                             : Judge(cell.ratio, again, rounds);
  }
}

void AddBlowup(std::vector<ThreadCell>* cells) {
  for (ThreadCell& cell : *cells) {
    if (!cell.not_measured.empty()) continue;
    for (const ThreadCell& one : *cells) {
      if (one.threads == 1 && one.allocator == cell.allocator &&
          one.not_measured.empty() && one.peak_bytes > 0) {
        cell.blowup = static_cast<double>(cell.peak_bytes) /
                      static_cast<double>(one.peak_bytes);
      }
    }
  }
}

void AddNotes(ThreadTable* table) {
  for (const ThreadCell& cell : table->cells) {
    const double waiting = cell.timed.waiting_median();
    if (cell.not_measured.empty() && waiting > kMuchWaiting) {
      char share[16];
      std::snprintf(share, sizeof(share), "%.0f %%", 100 * waiting);
      table->notes.push_back(
          cell.allocator + ", " + std::to_string(cell.threads) +
          " threads: " + share +
          " of the time is waiting for other threads; its rate is the "
          "recording's order as much as the allocator's");
    }
  }
  if (table->request.rounds > 0 && table->request.rounds < kLeastRounds) {
    table->notes.push_back("fewer than " + std::to_string(kLeastRounds) +
                           " rounds give no 95 % interval");
  }
}

}  // namespace

std::string_view InterleavingName(Interleaving interleaving) {
  switch (interleaving) {
    case Interleaving::kFaithful:
      return "faithful";
    case Interleaving::kFree:
      return "free-running";
    case Interleaving::kSerial:
      return "serial";
  }
  return "";
}

bool ThreadTable::content_proved() const {
  return std::ranges::all_of(cells, [](const ThreadCell& cell) {
    return !cell.not_measured.empty() ||
           (cell.events == cell.expected_events && cell.corrupted == 0 &&
            cell.overlaps == 0);
  });
}

void TakeMemory(const ThreadOutcome& outcome, ThreadCell* cell) {
  cell->events = outcome.events();
  cell->failed = outcome.failed();
  cell->corrupted = outcome.corrupted();
  cell->overlaps = outcome.overlaps();
  for (const MomentSample& moment : outcome.moments) {
    const std::int64_t bytes =
        moment.anonymous_bytes - outcome.start_anonymous_bytes;
    cell->peak_bytes = std::max(cell->peak_bytes, bytes);
    cell->end_bytes = bytes;
    cell->peak_requested_bytes =
        std::max(cell->peak_requested_bytes, moment.requested_bytes);
    if (std::pair(moment.shared_lines, moment.lines) >
        std::pair(cell->shared_lines, cell->lines)) {
      cell->lines = moment.lines;
      cell->shared_lines = moment.shared_lines;
    }
  }
}

ThreadTable MeasureThreadTable(const ThreadTableRequest& request) {
  const std::vector<AllocatorSpec> specs =
      ParseAllocatorList(request.allocators);
  ThreadTable table;
  table.trace = request.trace;
  table.request = request;
  TraceReader reader(request.trace);
  const CompiledTrace trace = Compile(reader, request.scope);
  if (trace.steps == 0) {
    throw InputError(request.trace + ": no request is in the scope " +
                     std::string(ScopeName(request.scope)));
  }
  table.requests = trace.steps;
  table.requests_by_thread = StepsByThread(trace);
  table.recorded_threads = static_cast<std::uint32_t>(
      std::ranges::count_if(table.requests_by_thread,
                            [](std::uint64_t steps) { return steps != 0; }));
  {
    const ThreadStreams all(trace, {.streams = table.recorded_threads});
    table.handovers = all.handovers();
    table.shared_objects = all.shared_objects();
  }
  std::vector<Width> widths =
      MakeWidths(trace, request, table.recorded_threads);

  std::vector<InterleavedCell> timed;
  std::vector<std::size_t> places;
  for (Width& width : widths) {
    bool first = true;
    for (const AllocatorSpec& spec : specs) {
      ThreadCell cell{.allocator = spec.spelled, .threads = width.threads};
      cell.not_measured = width.not_measured;
      if (cell.not_measured.empty()) {
        cell.expected_events = width.tracked->events();
        ThreadRunOptions options{.mode = ThreadMode::kCheck,
                                 .touch = Touch::kFill};
        ThreadOutcome outcome = RunThreads(spec, *width.tracked, options);
        if (!outcome.not_applicable.empty() && request.behind_lock) {
          cell.locked = true;
          options.lock = ThreadLock::kEachRequest;
          outcome = RunThreads(spec, *width.tracked, options);
        }
        if (!outcome.not_applicable.empty()) {
          cell.not_measured = "n/a: " + outcome.not_applicable;
        } else {
          TakeMemory(outcome, &cell);
          const ThreadRunOptions fast{.mode = ThreadMode::kTimed,
                                      .touch = request.touch,
                                      .lock = cell.locked
                                                  ? ThreadLock::kEachRequest
                                                  : ThreadLock::kNone};
          timed.push_back({[&spec, &width, fast] {
                             return RunThreads(spec, *width.timed, fast);
                           },
                           first});
          places.push_back(table.cells.size());
          first = false;
        }
      }
      table.cells.push_back(std::move(cell));
    }
  }
  if (request.rounds > 0) {
    TakeTimes(MeasureInterleaved(timed, request.rounds, request.seed,
                                 request.progress),
              places, request.rounds, &table.cells);
  }
  AddBlowup(&table.cells);
  AddNotes(&table);
  return table;
}

}  // namespace arenalab
