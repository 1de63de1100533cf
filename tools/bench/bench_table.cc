// Benchmark programs, started and read; contract in bench_table.h.
#include "tools/bench/bench_table.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/bench/workload.h"
#include "tools/replay/allocator_spec.h"
#include "tools/replay/measure_ratio.h"
#include "tools/replay/worker_spawn.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

// A folder that goes away at the end, where none is to be kept.
class Folder {
 public:
  explicit Folder(const std::string& kept) : path_(kept), own_(kept.empty()) {
    std::error_code error;
    if (own_) {
      std::string name =
          (std::filesystem::temp_directory_path() / "arenalab-bench-XXXXXX")
              .string();
      if (mkdtemp(name.data()) == nullptr) {
        throw InputError(name + ": cannot be made");
      }
      path_ = name;
    } else if (!std::filesystem::create_directories(path_, error) && error) {
      throw InputError(path_ + ": " + error.message());
    }
  }
  ~Folder() {
    std::error_code ignored;
    if (own_) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool own_;
};

std::string ProgramOf(const AllocatorSpec& spec) {
  constexpr std::string_view kReplayWorker = "replay_worker_";
  std::string path = spec.worker;
  const std::size_t at = path.rfind(kReplayWorker);
  if (at == std::string::npos) {
    throw InputError("allocator '" + spec.spelled +
                     "': there is no benchmark program of it");
  }
  return path.replace(at, kReplayWorker.size(), "bench_");
}

// A file name of what the user spelled.
std::string FileName(std::string text) {
  for (char& c : text) {
    if (c == '/' || c == '{' || c == '}' || c == ':' || c == ',') c = '_';
  }
  return text;
}

struct Plan {
  const AllocatorSpec* spec;
  const Workload* workload;
  std::uint32_t threads;
  bool locked = false;
  int runs = 0;
};

// Runs the program once; returns the one benchmark of its JSON.
json RunOnce(Plan* plan, const BenchRequest& request,
             const std::string& folder) {
  const std::string subject = "allocator '" + plan->spec->spelled + "', " +
                              std::string(plan->workload->name) + ": ";
  const auto place =
      std::filesystem::path(folder) / FileName(plan->spec->spelled);
  std::filesystem::create_directories(place);
  const std::string file = (place / (std::string(plan->workload->name) + "-" +
                                     std::to_string(plan->threads) + "-" +
                                     std::to_string(plan->runs++) + ".json"))
                               .string();
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const pid_t child = StartWorker(
      *plan->spec,
      {.program = ProgramOf(*plan->spec),
       .arguments = {"--workload=" + std::string(plan->workload->name),
                     "--threads=" + std::to_string(plan->threads),
                     "--divide=" + std::to_string(request.divide),
                     "--lock=" + std::to_string(plan->locked),
                     "--settings=" + WorkerSettings(*plan->spec),
                     "--benchmark_out=" + file, "--benchmark_out_format=json"},
       .fds = {},
       .stdout_fd = null,
       .stderr_fd = null,
       .fixed_layout = plan->workload->of_memory});
  close(null);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw InputError(
        subject + (WIFSIGNALED(status)
                       ? "killed by signal " + std::to_string(WTERMSIG(status))
                       : "its settings are refused (exit status " +
                             std::to_string(WEXITSTATUS(status)) + ")"));
  }
  std::ifstream in(file);
  const json output = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (output.is_discarded() || !output.contains("benchmarks") ||
      output["benchmarks"].empty()) {
    throw InputError(subject + "wrote no JSON to " + file);
  }
  return output["benchmarks"][0];
}

std::optional<double> Number(const json& run, const char* key) {
  if (!run.contains(key) || !run[key].is_number()) return std::nullopt;
  return run[key].get<double>();
}

void TakeMemory(const json& run, BenchCell* cell) {
  cell->live_bytes = Number(run, "live_bytes");
  cell->held_bytes = Number(run, "held_bytes");
  cell->resident_bytes = Number(run, "resident_bytes");
  cell->blowup = Number(run, "blowup");
  cell->shared_lines = Number(run, "shared_lines");
  cell->lines = Number(run, "lines");
}

// As interleaved.h counts: one stream, from 0 to the real time.
ThreadOutcome OutcomeOf(const json& run, BenchCell* cell) {
  if (run.value("error_occurred", false)) cell->wrong = true;
  const double ns = run.value("real_time", 0.0) * 1e6;  // in milliseconds
  StreamReport stream{};
  stream.events = static_cast<std::uint64_t>(
      run.value("items_per_second", 0.0) * ns / 1e9 + 0.5);
  stream.end_ns = static_cast<std::uint64_t>(ns);
  ThreadOutcome outcome;
  outcome.streams = {stream};
  return outcome;
}

void TakeRatios(int rounds, std::vector<BenchCell>* cells) {
  for (BenchCell& cell : *cells) {
    if (cell.timed.ns_per_event.empty()) continue;
    const auto first = std::ranges::find_if(*cells, [&](const BenchCell& c) {
      return c.workload == cell.workload && c.threads == cell.threads &&
             !c.timed.again.empty();
    });
    if (first == cells->end()) continue;
    const TimeRatio again =
        RatioOf(first->timed.again, first->timed.ns_per_event, 5);
    const bool self = &*first == &cell;
    cell.ratio =
        self ? again
             : RatioOf(cell.timed.ns_per_event, first->timed.ns_per_event, 5);
    cell.ratio.verdict = self && rounds >= kLeastRounds
                             ? TimeVerdict::kNoDifference
                             : Judge(cell.ratio, again, rounds);
  }
}

std::vector<const Workload*> Chosen(const std::vector<std::string>& names) {
  std::vector<const Workload*> chosen;
  for (const Workload& workload : Workloads()) {
    if (names.empty() || std::ranges::find(names, workload.name) != names.end())
      chosen.push_back(&workload);
  }
  for (const std::string& name : names) {
    if (std::ranges::none_of(Workloads(), [&](const Workload& workload) {
          return workload.name == name;
        })) {
      throw InputError("bench: there is no workload '" + name +
                       "'; arenalab bench list names them");
    }
  }
  return chosen;
}

}  // namespace

bool BenchTable::content_held() const {
  return std::ranges::none_of(cells,
                              [](const BenchCell& cell) { return cell.wrong; });
}

BenchTable MeasureBench(const BenchRequest& request) {
  const std::vector<AllocatorSpec> specs =
      ParseAllocatorList(request.allocators);
  const std::vector<const Workload*> chosen = Chosen(request.workloads);
  const Folder folder(request.folder);
  BenchTable table;
  table.request = request;
  std::vector<Plan> plans;
  for (const Workload* workload : chosen) {
    std::vector<std::uint32_t> counts = request.threads;
    if (workload->one_at_a_time) counts = {1};
    for (const std::uint32_t threads : counts) {
      for (const AllocatorSpec& spec : specs) {
        BenchCell cell{.workload = std::string(workload->name),
                       .allocator = spec.spelled,
                       .threads = threads,
                       .of_memory = workload->of_memory,
                       .not_measured = BeyondCores(threads)};
        plans.push_back({&spec, workload, threads});
        table.cells.push_back(std::move(cell));
      }
    }
  }
  std::vector<InterleavedCell> timed;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    BenchCell& cell = table.cells[i];
    if (!cell.not_measured.empty()) continue;
    // A first run: what it cannot do, and memory.
    json run = RunOnce(&plans[i], request, folder.path());
    std::string error = run.value("error_message", "");
    if (error.starts_with("n/a") && request.behind_lock) {
      plans[i].locked = true;
      cell.allocator += ", one lock";
      run = RunOnce(&plans[i], request, folder.path());
      error = run.value("error_message", "");
    }
    if (error.starts_with("n/a")) {
      cell.not_measured = error;
      continue;
    }
    cell.wrong = run.value("error_occurred", false);
    TakeMemory(run, &cell);
    const bool first = places.empty() ||
                       plans[places.back()].workload != plans[i].workload ||
                       plans[places.back()].threads != plans[i].threads;
    timed.push_back({[&table, &plans, &request, &folder, i] {
                       return OutcomeOf(
                           RunOnce(&plans[i], request, folder.path()),
                           &table.cells[i]);
                     },
                     first});
    places.push_back(i);
  }
  if (request.rounds > 0) {
    const std::vector<TimedCell> measured = MeasureInterleaved(
        timed, request.rounds, request.seed, request.progress);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      table.cells[places[i]].timed = measured[i];
    }
    TakeRatios(request.rounds, &table.cells);
  }
  return table;
}

}  // namespace arenalab
