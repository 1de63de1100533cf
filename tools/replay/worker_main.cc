// The one replay worker from which allocator_worker() makes a program per
// allocator: maps the ops, makes the heap, runs, writes the report
// (worker_protocol.h).
//
// It calls no malloc, not even before main(): no libstdc++ (whose start-up
// allocates), no stdio, no C++ runtime. A test counts the calls.
//
// The build defines, per allocator,
//   ARENALAB_HEAP_HEADER  the header of its heap
//   ARENALAB_VISIT_HEAP   what picks the heap type (allocators/one_heap.h)
#include "tools/replay/worker_main.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "allocators/heap_options.h"
#include "allocators/one_heap.h"
#include "tools/replay/worker_clock.h"
#include "tools/replay/worker_latency.h"
#include "tools/replay/worker_loop.h"
#include "tools/replay/worker_protocol.h"
#include "tools/replay/worker_segment.h"
#include "tools/replay/worker_tracked.h"
#include ARENALAB_HEAP_HEADER

namespace arenalab {
namespace {

// Copies as much of `text` as fits; the rest of the array stays zero.
template <std::size_t kBytes>
void CopyText(char (&to)[kBytes], const char* text) {
  const std::size_t length = std::strlen(text);
  std::memcpy(to, text, length < kBytes ? length : kBytes - 1);
}

bool Fail(ReplayReport* report, const char* error) {
  CopyText(report->error, error);
  return false;
}

// A zeroed array of the worker's own, all of it resident before the start;
// nullptr where the system has no room. Lives until the process ends.
template <typename T>
T* MapArray(std::uint64_t count) {
  if (count == 0) count = 1;
  void* base = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return base == MAP_FAILED ? nullptr : static_cast<T*>(base);
}

// Which file serves this heap's requests, and what it calls itself. Heaps of
// our own have no such file: the worker holds them.
template <typename Heap>
void Identify(ReplayReport* report) {
  if constexpr (requires { Heap::Version(); }) {
    CopyText(report->version, Heap::Version());
  }
  if constexpr (requires { Heap::Code(); }) {
    Dl_info info{};
    if (dladdr(Heap::Code(), &info) != 0 && info.dli_fname != nullptr &&
        info.dli_fname[0] == '/') {
      CopyText(report->library, info.dli_fname);
    }
  }
}

template <typename Heap, Touch kTouch>
void RunTimedReplay(Heap& heap, void** registers, SegmentReader* reader,
                    ReplayReport* report) {
  for (Segment segment; reader->Next(&segment);) {
    const std::uint64_t start = CpuNanoseconds();
    RunTimed<Heap, kTouch>(heap, registers, segment.begin, segment.end,
                           &report->failed);
    report->cpu_ns += CpuNanoseconds() - start;
    report->events += segment.events;
  }
}

template <typename Heap>
void RunLatencyReplay(Heap& heap, void** registers, SegmentReader* reader,
                      ReplayReport* report) {
  report->ticks_of_nothing = TicksOfNothing();
  LatencyReplay<Heap> latency(heap, registers, report);
  const std::uint64_t start_ns = MachineNanoseconds();
  const std::uint64_t start = ReadTicks();
  for (Segment segment; reader->Next(&segment);) latency.Run(segment);
  report->latency_ticks = ReadTicks() - start;
  report->latency_ns = MachineNanoseconds() - start_ns;
}

template <typename Heap>
bool Run(Heap& heap, ReplayReport* report, ReplaySample* samples) {
  const ReplayIn& in = report->in;
  const bool timed =
      in.mode == ReplayMode::kTimed || in.mode == ReplayMode::kLatency;
  auto** registers = MapArray<void*>(in.slots);
  auto* sizes = timed ? nullptr : MapArray<std::uint64_t>(in.slots);
  if (registers == nullptr || (!timed && sizes == nullptr)) {
    return Fail(report, "no memory for the register file");
  }
  SegmentReader reader(kOpsFd, in.ops, in.slots, timed ? 0 : in.samples);
  TrackedReplay<Heap> tracked(heap, registers, sizes, report, samples);
  // Twice: the first look loads what looking takes (a library's statistics).
  tracked.Sample(&report->start);
  tracked.Sample(&report->start);
  if (in.clock == ReplayClock::kRecorded) FollowTrace();

  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  if (!timed) {
    for (Segment segment; reader.Next(&segment);) {
      tracked.Run(segment, &reader);
    }
  } else if (in.mode == ReplayMode::kLatency) {
    RunLatencyReplay(heap, registers, &reader, report);
  } else if (in.touch == Touch::kNone) {
    RunTimedReplay<Heap, Touch::kNone>(heap, registers, &reader, report);
  } else if (in.touch == Touch::kHeader) {
    RunTimedReplay<Heap, Touch::kHeader>(heap, registers, &reader, report);
  } else if (in.touch == Touch::kLine) {
    RunTimedReplay<Heap, Touch::kLine>(heap, registers, &reader, report);
  } else {
    RunTimedReplay<Heap, Touch::kFill>(heap, registers, &reader, report);
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  report->minor_faults =
      static_cast<std::uint64_t>(after.ru_minflt - before.ru_minflt);
  report->major_faults =
      static_cast<std::uint64_t>(after.ru_majflt - before.ru_majflt);
  return reader.error() == nullptr || Fail(report, reader.error());
}

template <typename Heap>
bool MakeAndRun(ReplayReport* report, ReplaySample* samples) {
  if constexpr (requires { Heap::CheckSettings(report->in.settings); }) {
    const char* error = Heap::CheckSettings(report->in.settings);
    if (error != nullptr) return Fail(report, error);
  }
  Identify<Heap>(report);
  HeapOptions options;
  options.settings = report->in.settings;
  // Never destroyed: taking a heap apart is not part of a replay.
  alignas(Heap) static std::byte storage[sizeof(Heap)];
  return Run(*new (storage) Heap(options), report, samples);
}

ReplayReport* MapReport() {
  struct stat status {};
  if (fstat(kReportFd, &status) != 0 ||
      static_cast<std::size_t>(status.st_size) < sizeof(ReplayReport)) {
    return nullptr;
  }
  void* base =
      mmap(nullptr, static_cast<std::size_t>(status.st_size),
           PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, kReportFd, 0);
  if (base == MAP_FAILED) return nullptr;
  auto* report = static_cast<ReplayReport*>(base);
  const std::uint64_t needed = sizeof(ReplayReport) +
                               report->in.samples * sizeof(ReplaySample) +
                               report->in.addresses * sizeof(std::uint64_t);
  return report->in.magic == kReportMagic &&
                 static_cast<std::uint64_t>(status.st_size) >= needed
             ? report
             : nullptr;
}

}  // namespace

int RunReplayWorker() {
  ReplayReport* report = MapReport();
  if (report == nullptr) {
    static constexpr char kUsage[] =
        "a replay worker: started by `arenalab replay`, not by hand\n";
    return write(STDERR_FILENO, kUsage, sizeof(kUsage) - 1) < 0 ? 3 : 2;
  }
  StartClock();
  auto* samples = reinterpret_cast<ReplaySample*>(report + 1);
  bool done = false;
  const bool known = ARENALAB_VISIT_HEAP(
      report->in.settings,
      [&]<typename Heap>() { done = MakeAndRun<Heap>(report, samples); });
  if (!known) Fail(report, "it has no such settings");
  return done ? 0 : 1;
}

}  // namespace arenalab
