// All cells of the table of models; formulas in model_table.h.
#include "tools/threads/model_table.h"

#include <algorithm>

#include "tools/replay/allocator_spec.h"
#include "tools/replay/measure_ratio.h"
#include "tools/threads/thread_streams.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

ThreadRunOptions OptionsOf(Model model, std::uint32_t workers) {
  ThreadRunOptions options;
  options.copies = workers;
  switch (model) {
    case Model::kGil:
      options.lock = ThreadLock::kSlices;
      break;
    case Model::kLock:
      options.lock = ThreadLock::kEachRequest;
      break;
    case Model::kInterpreters:
      options.heap_each = true;
      options.serves = 2;
      break;
    case Model::kShared:
      options.serves = 2;
      break;
    case Model::kProcesses:
      options.copies = 1;
      options.processes = workers;
      break;
  }
  return options;
}

Interval IntervalOf(const TimeRatio& ratio) {
  return {ratio.median, ratio.low, ratio.high};
}

// rate / rate with one worker = its time an event / the cell's.
void AddScaling(std::vector<ModelCell>* cells) {
  for (ModelCell& cell : *cells) {
    for (const ModelCell& one : *cells) {
      if (one.workers == 1 && one.model == cell.model &&
          one.allocator == cell.allocator && !one.timed.ns_per_event.empty() &&
          !cell.timed.ns_per_event.empty()) {
        cell.scaling = IntervalOf(
            RatioOf(one.timed.ns_per_event, cell.timed.ns_per_event, 11));
      }
    }
  }
}

}  // namespace

std::string_view ModelName(Model model) {
  switch (model) {
    case Model::kGil:
      return "gil";
    case Model::kLock:
      return "lock";
    case Model::kInterpreters:
      return "interpreters";
    case Model::kShared:
      return "shared";
    case Model::kProcesses:
      return "processes";
  }
  return "";
}

ModelTable MeasureModelTable(const ModelTableRequest& request) {
  const std::vector<AllocatorSpec> specs =
      ParseAllocatorList(request.allocators);
  ModelTable table;
  table.trace = request.trace;
  table.request = request;
  TraceReader reader(request.trace);
  const CompiledTrace trace = Compile(reader, request.scope);
  if (trace.steps == 0) {
    throw InputError(request.trace + ": no request is in the scope " +
                     std::string(ScopeName(request.scope)));
  }
  table.requests = trace.steps;
  const ThreadStreams program(trace, {.streams = 1});

  std::vector<InterleavedCell> timed;
  std::vector<std::size_t> places;
  for (const Model model : kModels) {
    for (const AllocatorSpec& spec : specs) {
      for (const std::uint32_t workers : request.workers) {
        ModelCell cell{
            .model = model, .allocator = spec.spelled, .workers = workers};
        cell.not_measured = BeyondCores(workers);
        ThreadRunOptions options = OptionsOf(model, workers);
        if (cell.not_measured.empty()) {
          options.mode = ThreadMode::kMemory;
          options.touch = Touch::kFill;
          const ThreadOutcome outcome = RunThreads(spec, program, options);
          if (!outcome.not_applicable.empty()) {
            cell.not_measured = "n/a: " + outcome.not_applicable;
          } else {
            cell.peak_bytes = outcome.peak_growth_bytes;
            cell.end_bytes =
                outcome.end_anonymous_bytes - outcome.start_anonymous_bytes;
          }
        }
        if (cell.not_measured.empty()) {
          options.mode = ThreadMode::kTimed;
          options.touch = request.touch;
          timed.push_back({[&spec, &program, options] {
                             return RunThreads(spec, program, options);
                           },
                           timed.empty()});
          places.push_back(table.cells.size());
        }
        table.cells.push_back(std::move(cell));
      }
    }
  }
  if (request.rounds > 0 && !timed.empty()) {
    const std::vector<TimedCell> measured = MeasureInterleaved(
        timed, request.rounds, request.seed, request.progress);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      table.cells[places[i]].timed = measured[i];
    }
    table.again = IntervalOf(
        RatioOf(measured[0].again, measured[0].ns_per_event, request.seed));
    AddScaling(&table.cells);
  }
  return table;
}

}  // namespace arenalab
