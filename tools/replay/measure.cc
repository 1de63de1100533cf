// Memory runs, checks and interleaved timed rounds; contract in measure.h.
#include "tools/replay/measure.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <numeric>
#include <random>
#include <system_error>

#include "tools/replay/measure_ratio.h"
#include "tools/replay/ops.h"
#include "tools/replay/worker_process.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::string_view kTouchNames[] = {"none", "header", "line", "fill"};

ReplayIn InFor(const OpsProgram& program, const ReplayOptions& options,
               ReplayMode mode) {
  ReplayIn in{};
  in.ops = program.ops;
  in.slots = program.slots;
  in.samples = mode == ReplayMode::kTimed ? 0 : program.samples;
  in.touch = options.touch;
  in.clock = options.clock;
  in.mode = mode;
  return in;
}

// coreutils' sha256sum: this project holds no cryptography of its own.
std::string Sha256Of(const std::string& path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path.c_str(),
                                   O_RDONLY, 0);
  std::string program = "sha256sum";  // of its input: no name to escape
  char* arguments[] = {program.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, program.c_str(), &actions, nullptr,
                                 arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string digest;
  char text[128];
  for (ssize_t got;
       error == 0 && (got = read(ends[0], text, sizeof(text))) > 0;) {
    digest.append(text, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
    return "";
  }
  return digest.substr(0, 64);
}

double TimeOnce(const AllocatorSpec& spec, const OpsProgram& program,
                const ReplayOptions& options) {
  const WorkerReport report =
      RunWorker(spec, program.fd, InFor(program, options, ReplayMode::kTimed));
  if (report->events == 0) {
    throw InputError("the trace holds no request to time");
  }
  return static_cast<double>(report->cpu_ns) /
         static_cast<double>(report->events);
}

}  // namespace

std::string_view TouchName(Touch touch) {
  return kTouchNames[static_cast<std::size_t>(touch)];
}

std::optional<Touch> TouchOfName(std::string_view name) {
  const auto* found = std::ranges::find(kTouchNames, name);
  if (found == std::end(kTouchNames)) return std::nullopt;
  return static_cast<Touch>(found - kTouchNames);
}

std::string_view TimeVerdictName(TimeVerdict verdict) {
  switch (verdict) {
    case TimeVerdict::kFaster:
      return "faster";
    case TimeVerdict::kSlower:
      return "slower";
    case TimeVerdict::kNoDifference:
      return "no difference";
    case TimeVerdict::kTooFewRounds:
      return "too few rounds";
  }
  return "";
}

AllocatorIdentity ProbeAllocator(const AllocatorSpec& spec) {
  const Op end = MakeOp(OpCode::kEnd, 0, 0);
  const int fd = memfd_create("empty program", MFD_CLOEXEC);
  if (fd < 0 || write(fd, &end, sizeof(end)) != sizeof(end)) {
    throw std::system_error(errno, std::generic_category(),
                            "no memory for an empty program");
  }
  const OpsProgram program{.fd = fd, .ops = 1};
  AllocatorIdentity identity;
  try {
    const WorkerReport report =
        RunWorker(spec, fd, InFor(program, {}, ReplayMode::kTimed));
    identity.version = report->version;
    identity.library = report->library;
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
  const bool own = identity.library.empty() || identity.library == spec.worker;
  identity.sha256 = Sha256Of(own ? spec.worker : identity.library);
  if (own) {
    identity.library = std::filesystem::path(spec.worker).filename().string();
  }
  return identity;
}

MemoryRun MeasureMemory(const AllocatorSpec& spec, const OpsProgram& program,
                        const ReplayOptions& options) {
  ReplayIn in = InFor(program, options, ReplayMode::kMemory);
  in.addresses = options.addresses;
  const WorkerReport report = RunWorker(spec, program.fd, in);
  MemoryRun run;
  run.addresses.assign(report.addresses().begin(), report.addresses().end());
  run.samples.assign(report.samples().begin(), report.samples().end());
  run.start = report->start;
  run.events = report->events;
  run.failed = report->failed;
  run.minor_faults = report->minor_faults;
  return run;
}

CheckRun CheckReplay(const AllocatorSpec& spec, const OpsProgram& program,
                     const ReplayOptions& options) {
  const WorkerReport report =
      RunWorker(spec, program.fd, InFor(program, options, ReplayMode::kCheck));
  return {.events = report->events,
          .failed = report->failed,
          .corrupted = report->corrupted};
}

std::vector<TimedRun> MeasureTimes(const std::vector<AllocatorSpec>& specs,
                                   const OpsProgram& program,
                                   const ReplayOptions& options, int rounds,
                                   std::uint64_t seed, MeasureProgress progress,
                                   void* context) {
  std::vector<TimedRun> runs(specs.size());
  if (specs.empty() || rounds < 1) return runs;
  // Arm i is specs[i]; the last is the first allocator again.
  std::vector<std::size_t> arms(specs.size() + 1);
  std::iota(arms.begin(), arms.end(), std::size_t{0});
  const int total = rounds * static_cast<int>(arms.size());
  std::mt19937_64 random(seed);
  int done = 0;
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(arms, random);
    for (const std::size_t arm : arms) {
      if (progress != nullptr) progress(context, done++, total);
      const bool again = arm == specs.size();
      const double time = TimeOnce(specs[again ? 0 : arm], program, options);
      TimedRun& run = runs[again ? 0 : arm];
      (again ? run.again_ns_per_event : run.gross_ns_per_event).push_back(time);
    }
  }
  const TimeRatio again =
      RatioOf(runs[0].again_ns_per_event, runs[0].gross_ns_per_event, seed);
  std::optional<double> null_median;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    runs[i].gross_median = Median(runs[i].gross_ns_per_event);
    runs[i].ratio = i == 0 ? again
                           : RatioOf(runs[i].gross_ns_per_event,
                                     runs[0].gross_ns_per_event, seed + i);
    // The first against itself differs by noise alone, whatever it shows.
    runs[i].ratio.verdict = i == 0 && rounds >= kLeastRounds
                                ? TimeVerdict::kNoDifference
                                : Judge(runs[i].ratio, again, rounds);
    if (specs[i].name == "null") null_median = runs[i].gross_median;
  }
  if (null_median.has_value()) {
    for (TimedRun& run : runs) {
      run.net_median = run.gross_median - *null_median;
    }
  }
  return runs;
}

}  // namespace arenalab
