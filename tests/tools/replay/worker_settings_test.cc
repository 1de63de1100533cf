// Which clock and which settings an allocator sees inside a worker, judged by
// what it gives back.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/tools/replay/op_program.h"
#include "tests/tools/replay/worker_fixture.h"
#include "tools/replay/measure.h"

namespace arenalab {
namespace {

// 64 MiB in blocks that jemalloc maps as extents of their own, all freed; then
// a minute of idling with a little work now and then.
void AddIdleProgram(OpProgram* program) {
  for (std::uint32_t i = 0; i < 1024; ++i) program->Alloc(i, 64 << 10);
  program->Sample(0);
  for (std::uint32_t i = 0; i < 1024; ++i) program->Free(i);
  program->Sample(1);
  // More at once than a thread's cache holds, or nobody looks at the clock; and
  // in turn with the idling, as jemalloc takes what was freed since its last
  // look for freed just now.
  for (int round = 0; round < 20; ++round) {
    program->Add(OpCode::kClock, 0, 3000);
    for (std::uint32_t i = 0; i < 1000; ++i) program->Alloc(i, 1000);
    for (std::uint32_t i = 0; i < 1000; ++i) program->Free(i);
  }
  program->Sample(2);
}

std::int64_t HeldAfterIdling(const AllocatorSpec& spec, ReplayClock clock) {
  OpProgram program;
  AddIdleProgram(&program);
  const MemoryRun run =
      MeasureMemory(spec, program.Close(), {Touch::kFill, clock});
  EXPECT_GE(run.samples[0].anonymous_bytes, 64 * kMiB);
  return run.samples[2].anonymous_bytes - run.start.anonymous_bytes;
}

TEST(ReplayClock, AsRecordedJemallocPurgesWhatWasIdleForAMinute) {
  const AllocatorSpec spec = Spec("jemalloc{dirty_decay_ms:1000}");
  EXPECT_LT(HeldAfterIdling(spec, ReplayClock::kRecorded), 8 * kMiB);
}

TEST(ReplayClock, StoppedJemallocKeepsItAsTheReplayTakesNoMinute) {
  const AllocatorSpec spec = Spec("jemalloc{dirty_decay_ms:30000}");
  EXPECT_GT(HeldAfterIdling(spec, ReplayClock::kStopped), 48 * kMiB);
}

// The control: the worker that is shown the trace's clock holds what one holds
// that really idled. What idling gave back is most of 64 MiB in both.
TEST(ReplayClock, AsRecordedIsWhatReallyIdlingIs) {
  const AllocatorSpec spec = Spec("jemalloc{dirty_decay_ms:50}");
  OpProgram program;
  for (std::uint32_t i = 0; i < 1024; ++i) program.Alloc(i, 64 * 1024);
  for (std::uint32_t i = 0; i < 1024; ++i) program.Free(i);
  program.Sample(0);
  for (int round = 0; round < 10; ++round) {
    program.Add(OpCode::kClock, 0, 30);
    for (std::uint32_t i = 0; i < 1000; ++i) program.Alloc(i, 1000);
    for (std::uint32_t i = 0; i < 1000; ++i) program.Free(i);
  }
  program.Sample(1);
  const OpsProgram& ops = program.Close();
  const auto held = [&](ReplayClock clock) {
    const MemoryRun run = MeasureMemory(spec, ops, {Touch::kFill, clock});
    return run.samples[1].anonymous_bytes - run.start.anonymous_bytes;
  };
  EXPECT_NEAR(static_cast<double>(held(ReplayClock::kRecorded)),
              static_cast<double>(held(ReplayClock::kIdled)), 4 * kMiB);
  EXPECT_LT(held(ReplayClock::kIdled), 8 * kMiB);
}

TEST(Settings, ReachJemalloc) {
  const AllocatorSpec at_once = Spec("jemalloc{dirty_decay_ms:0}");
  EXPECT_LT(HeldAfterIdling(at_once, ReplayClock::kStopped), 8 * kMiB);
}

TEST(Settings, ReachMimalloc) {
  EXPECT_EQ(ErrorOf([] { ProbeAllocator(Spec("mimalloc{decommit_delay:7}")); }),
            "");
}

TEST(Settings, ReachTheSystemsMalloc) {
  // Blocks of 64 KiB from mappings of their own are given back one by one; from
  // the heap they are kept, if it is told never to trim.
  const AllocatorSpec mapped = Spec("system{mmap_threshold:4096}");
  EXPECT_LT(HeldAfterIdling(mapped, ReplayClock::kStopped), 8 * kMiB);
  const AllocatorSpec kept =
      Spec("system{mmap_threshold:1073741824,trim_threshold:1099511627776}");
  EXPECT_GT(HeldAfterIdling(kept, ReplayClock::kStopped), 48 * kMiB);
}

TEST(Settings, OfTheCallersEnvironmentDoNotReachTheWorker) {
  setenv("MALLOC_CONF", "dirty_decay_ms:0", 1);
  const std::int64_t held = HeldAfterIdling(Spec("jemalloc{muzzy_decay_ms:0}"),
                                            ReplayClock::kStopped);
  unsetenv("MALLOC_CONF");
  EXPECT_GT(held, 48 * kMiB);
}

TEST(Settings, ThatMeanNothingAreRefusedByTheAllocatorItself) {
  for (const char* text :
       {"jemalloc{nonsense:1}", "jemalloc{narenas:many}", "jemalloc{thp:1}",
        "mimalloc{nonsense:1}", "mimalloc{decommit_delay:soon}",
        "system{nonsense:1}", "system{arena_max:few}",
        "pymalloc{geometry:cpython-9.9}", "pymalloc{nonsense:1}",
        "bump{chunk:1}", "null{x:1}"}) {
    const std::string error = ErrorOf([&] { ProbeAllocator(Spec(text)); });
    EXPECT_NE(error.find(std::string("allocator '") + text + "': "),
              std::string::npos)
        << text << " gave: " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace arenalab
