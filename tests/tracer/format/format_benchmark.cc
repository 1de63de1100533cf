// Throughput of writer, reader and object table, and bytes an event, on a
// trace made up to resemble a Python program: small blocks, most of them freed
// soon, addresses reused last freed first within a size class, every hundredth
// event a realloc.
//
//   bazel run //tests/tracer/format:format_benchmark
//
// "live" is the number of long-lived objects; the object table's speed depends
// on it (cache misses), the others' does not.
#include <benchmark/benchmark.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tracer/format/object_table.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {
namespace {

constexpr std::size_t kEvents = 4000000;

// Hands out addresses as a size-class allocator does.
class Addresses {
 public:
  std::uint64_t Take(std::uint64_t size_bytes) {
    std::vector<std::uint64_t>& free = free_[Class(size_bytes)];
    if (free.empty()) {
      // A fresh pool of 16 KiB.
      const std::uint64_t block = 16 * (Class(size_bytes) + 1);
      const std::uint64_t first = fresh_ + 48;
      for (std::uint64_t n = (16384 - 48) / block; n-- > 0;) {
        free.push_back(first + n * block);
      }
      fresh_ += 16384;
    }
    const std::uint64_t address = free.back();
    free.pop_back();
    return address;
  }
  void Give(std::uint64_t address, std::uint64_t size_bytes) {
    free_[Class(size_bytes)].push_back(address);
  }

 private:
  static std::size_t Class(std::uint64_t size_bytes) {
    return (size_bytes - 1) / 16;
  }
  std::vector<std::uint64_t> free_[32];
  std::uint64_t fresh_ = 0x7f1234500000;
};

std::vector<Event> PythonLike(std::size_t live) {
  struct Block {
    std::uint64_t address, size_bytes;
  };
  std::mt19937_64 random(1);
  Addresses addresses;
  std::vector<Block> old, young;
  std::vector<Event> events;
  events.reserve(kEvents);
  constexpr std::uint64_t kSizes[] = {24, 28, 32, 32,  48,  56,  56,  64,
                                      64, 72, 80, 104, 184, 232, 416, 504};
  while (events.size() < kEvents) {
    Event event;
    event.layer = Layer::kObject;
    event.time_ns = events.size() / 65536 * 1000000;
    const std::uint64_t dice = random() % 200;
    if (dice < 99 || young.empty()) {
      event.kind = EventKind::kAlloc;
      event.size_bytes = kSizes[random() % std::size(kSizes)];
      event.address = addresses.Take(event.size_bytes);
      // One in twenty lives long and takes an older one's place.
      const Block block{event.address, event.size_bytes};
      if (random() % 20 == 0 || old.size() < live) {
        old.push_back(block);
        if (old.size() > live) {
          std::swap(old.back(), old[random() % old.size()]);
          young.push_back(old.back());
          old.pop_back();
        }
      } else {
        young.push_back(block);
      }
    } else {
      const std::size_t depth = random() % 4;
      std::size_t at = young.size() - 1 - std::min(depth, young.size() - 1);
      Block& block = young[at];
      event.layer = dice % 16 == 0 ? Layer::kMem : Layer::kObject;
      if (dice < 101) {
        event.kind = EventKind::kRealloc;
        event.old_address = block.address;
        event.size_bytes = kSizes[random() % std::size(kSizes)];
        event.address = addresses.Take(event.size_bytes);
        addresses.Give(block.address, block.size_bytes);
        block = {event.address, event.size_bytes};
      } else {
        event.kind = EventKind::kFree;
        event.address = block.address;
        addresses.Give(block.address, block.size_bytes);
        young.erase(young.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    events.push_back(event);
  }
  return events;
}

const std::string& ScratchPath() {
  static const std::string path = [] {
    const char* const folder = std::getenv("TEST_TMPDIR");
    return std::string(folder != nullptr ? folder : "/tmp") +
           "/format_benchmark." + std::to_string(getpid()) + ".trace";
  }();
  return path;
}

void WriteAll(const std::vector<Event>& events) {
  TraceWriter writer(ScratchPath(), /*exclusive=*/false);
  for (const Event& event : events) writer.Append(event);
  writer.Finish(0, 0);
  if (!writer.ok()) std::abort();
}

void CountEvents(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(kEvents));
}

void BM_Write(benchmark::State& state) {
  const auto events = PythonLike(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) WriteAll(events);
  CountEvents(state);
  struct stat status {};
  stat(ScratchPath().c_str(), &status);
  state.counters["bytes/event"] =
      static_cast<double>(status.st_size) / static_cast<double>(kEvents);
  unlink(ScratchPath().c_str());
}

void BM_Read(benchmark::State& state) {
  WriteAll(PythonLike(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    TraceReader reader(ScratchPath());
    Event event;
    while (reader.Next(&event)) benchmark::DoNotOptimize(event);
  }
  CountEvents(state);
  unlink(ScratchPath().c_str());
}

void BM_ReadAndIdentify(benchmark::State& state) {
  WriteAll(PythonLike(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    TraceReader reader(ScratchPath());
    ObjectTable table;
    Event event;
    while (reader.Next(&event)) {
      benchmark::DoNotOptimize(table.Identify(event));
    }
  }
  CountEvents(state);
  unlink(ScratchPath().c_str());
}

void BM_ContentHash(benchmark::State& state) {
  WriteAll(PythonLike(static_cast<std::size_t>(state.range(0))));
  const TraceReader reader(ScratchPath());
  for (auto _ : state) benchmark::DoNotOptimize(reader.ContentHash());
  CountEvents(state);
  unlink(ScratchPath().c_str());
}

BENCHMARK(BM_Write)->Unit(benchmark::kMillisecond)->Arg(1000)->Arg(1000000);
BENCHMARK(BM_Read)->Unit(benchmark::kMillisecond)->Arg(1000)->Arg(1000000);
BENCHMARK(BM_ReadAndIdentify)
    ->Unit(benchmark::kMillisecond)
    ->Arg(1000)
    ->Arg(100000)
    ->Arg(1000000);
BENCHMARK(BM_ContentHash)->Unit(benchmark::kMillisecond)->Arg(1000);

}  // namespace
}  // namespace arenalab

BENCHMARK_MAIN();
