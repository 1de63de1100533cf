// Flags of `arenalab bench`, and what it prints.
#include "tools/cli/bench.h"

#include <cstdio>
#include <memory>
#include <string>

#include "tools/bench/bench_table.h"
#include "tools/cli/progress.h"

namespace arenalab {
namespace {

struct Flags {
  BenchRequest request;
  std::vector<std::uint64_t> threads;
  std::uint64_t divide = 1;
};

int Run(Flags& flags) {
  BenchRequest& request = flags.request;
  if (request.workloads == std::vector<std::string>{"list"}) {
    std::fputs(WorkloadList().c_str(), stdout);
    return kOk;
  }
  if (!flags.threads.empty()) {
    request.threads.assign(flags.threads.begin(), flags.threads.end());
  }
  request.divide = static_cast<std::uint32_t>(flags.divide);
  BenchTable table;
  {
    Progress progress("bench");
    progress.Phase("running the workloads");
    request.progress = [&](int done, int total) {
      progress.Part("runs", done, total);
    };
    table = MeasureBench(request);
  }
  std::fputs(BenchTableText(table).c_str(), stdout);
  return table.content_held() ? kOk : kDifferent;
}

}  // namespace

void AddBench(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  BenchRequest& request = flags->request;
  request.allocators = "system,mimalloc,jemalloc,pymalloc";
  Verb verb = line.AddVerb(
      "bench", "Synthetic workloads with threads, on every allocator");
  verb.Positional("WORKLOAD", &request.workloads,
                  "Workloads, or list (default: all)");
  verb.Value("-a,--allocators", &request.allocators,
             "Allocators, or malloc libraries by path")
      .ShowDefault();
  verb.Value("--threads", &flags->threads,
             "How many threads, e.g. 1,2,4 (default: 1,2,4,8; more than cores "
             "are not measured)")
      .Comma();
  verb.Value("--rounds", &request.rounds,
             "Rounds, all allocators interleaved; 0: each runs once, for "
             "memory and content")
      .Between(0, 10000)
      .ShowDefault();
  verb.Value("-o,--output", &request.folder,
             "Keep Google Benchmark's JSON of every run in this folder");
  verb.Flag("--behind-lock", &request.behind_lock,
            "Allocators for one thread get one lock around them; else n/a");
  verb.Value("--divide", &flags->divide,
             "Do this fraction of the work, to see that it runs")
      .Between(std::int64_t{1}, std::int64_t{1000})
      .ShowDefault();
  verb.Footer(
      "Examples:\n"
      "  arenalab bench list\n"
      "  arenalab bench larson xmalloc --threads 1,2\n"
      "  arenalab bench survivor-per-pool -a pymalloc,mimalloc -o runs\n"
      "\n"
      "Each JSON says \"library_build_type\": \"debug\": Debian builds Google\n"
      "Benchmark without NDEBUG. It is about that library's own code, which "
      "runs\n"
      "outside the time that a workload takes of itself.\n"
      "\n"
      "Exit status: 0; 1 when a block did not hold what was written into it.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
