// The replay workers, each started as `arenalab replay` starts it: what they
// execute, what they sample, what they call, and how they are timed.
#include <gnu/libc-version.h>
#include <gtest/gtest.h>
#include <sys/personality.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "allocators/heap_snapshot.h"
#include "tests/tools/replay/op_program.h"
#include "tests/tools/replay/worker_fixture.h"
#include "tools/replay/latency.h"
#include "tools/replay/measure.h"

namespace arenalab {
namespace {

class EveryAllocator : public testing::TestWithParam<std::string> {};

TEST_P(EveryAllocator, ExecutesEveryRequest) {
  OpProgram program;
  AddMixedRequests(&program);
  const OpsProgram& ops = program.Close();
  for (const Touch touch :
       {Touch::kNone, Touch::kHeader, Touch::kLine, Touch::kFill}) {
    const MemoryRun run = MeasureMemory(Spec(GetParam()), ops, {touch});
    EXPECT_EQ(run.events, kMixedRequests);
    EXPECT_EQ(run.failed, 0u);
    const std::vector<TimedRun> timed =
        MeasureTimes({Spec(GetParam())}, ops, {touch}, 1, 1);
    EXPECT_GT(timed[0].gross_median, 0);
  }
}

TEST_P(EveryAllocator, KeepsEveryByteOfEveryLiveBlock) {
  OpProgram program;
  AddMixedRequests(&program);
  for (std::uint32_t i = 0; i < 1000; ++i) program.Alloc(10 + i, i % 600);
  for (std::uint32_t i = 0; i < 1000; i += 2) program.Free(10 + i);
  for (std::uint32_t i = 0; i < 1000; i += 2) program.Alloc(10 + i, i % 500);
  for (std::uint32_t i = 0; i < 1000; ++i) program.Free(10 + i);
  const CheckRun run = CheckReplay(Spec(GetParam()), program.Close(), {});
  EXPECT_EQ(run.events, kMixedRequests + 3000);
  EXPECT_EQ(run.failed, 0u);
  if (GetParam() == "null") {
    EXPECT_GT(run.corrupted, 0u) << "its blocks overlap: the check must see it";
  } else {
    EXPECT_EQ(run.corrupted, 0u);
  }
}

TEST_P(EveryAllocator, AnEmptyReplayBringsNothing) {
  OpProgram program;
  program.Sample(0).Sample(1);
  const MemoryRun run = MeasureMemory(Spec(GetParam()), program.Close(), {});
  ASSERT_EQ(run.samples.size(), 2u);
  for (const ReplaySample& sample : run.samples) {
    EXPECT_EQ(sample.taken, 1u);
    EXPECT_EQ(sample.requested_bytes, 0);
    EXPECT_GT(sample.rss_bytes, 0);
    EXPECT_EQ(sample.anonymous_bytes, run.start.anonymous_bytes);
    EXPECT_LT(std::abs(sample.rss_bytes - run.start.rss_bytes), 128 << 10);
  }
}

TEST_P(EveryAllocator, SamplesKnowTheLiveBytes) {
  OpProgram program;
  program.Sample(0).Alloc(0, 1000).Add(OpCode::kZeroed, 1, 24).Sample(1);
  program.Add(OpCode::kRealloc, 0, 5000).Sample(2).Free(0).Sample(3);
  const MemoryRun run = MeasureMemory(Spec(GetParam()), program.Close(), {});
  ASSERT_EQ(run.samples.size(), 4u);
  const std::int64_t live[] = {0, 1024, 5024, 24};
  const std::uint64_t events[] = {0, 2, 3, 4};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(run.samples[i].requested_bytes, live[i]) << i;
    EXPECT_EQ(run.samples[i].events, events[i]) << i;
  }
}

// What a map is drawn from: one address for each request that returns a block,
// and blocks that live at once do not overlap.
TEST_P(EveryAllocator, TellsWhereItPutsEachBlock) {
  if (GetParam() == "null") GTEST_SKIP() << "null's blocks share one scratch";
  OpProgram program;
  constexpr std::uint32_t kBlocks = 200;
  for (std::uint32_t i = 0; i < kBlocks; ++i) program.Alloc(i, 40 + i * 13);
  program.Free(0).Add(OpCode::kRealloc, 1, 90000).Sample(0);
  ReplayOptions options;
  options.addresses = kBlocks + 1;
  const MemoryRun run =
      MeasureMemory(Spec(GetParam()), program.Close(), options);
  ASSERT_EQ(run.addresses.size(), kBlocks + 1);
  std::map<std::uint64_t, std::uint64_t> live;  // where it begins, and ends
  for (std::uint32_t i = 2; i < kBlocks; ++i)
    live[run.addresses[i]] = run.addresses[i] + 40 + i * 13;
  live[run.addresses[kBlocks]] = run.addresses[kBlocks] + 90000;
  ASSERT_EQ(live.size(), kBlocks - 1);
  std::uint64_t behind = 1;  // 0 is no place
  for (const auto& [begin, end] : live) {
    EXPECT_GE(begin, behind);
    behind = end;
  }
}

// 64 MiB of small blocks, filled: no allocator can have less resident, and none
// here has a quarter more.
TEST_P(EveryAllocator, FilledBlocksAreResident) {
  if (GetParam() == "null") GTEST_SKIP() << "null's blocks share one scratch";
  OpProgram program;
  constexpr std::uint32_t kBlocks = 64 * kMiB / 512;
  for (std::uint32_t i = 0; i < kBlocks; ++i) program.Alloc(i, 512);
  program.Sample(0);
  const MemoryRun run =
      MeasureMemory(Spec(GetParam()), program.Close(), {Touch::kFill});
  const std::int64_t grown =
      run.samples[0].anonymous_bytes - run.start.anonymous_bytes;
  EXPECT_GE(grown, 64 * kMiB);
  EXPECT_LE(grown, 80 * kMiB);
  const HeapSnapshot& heap = run.samples[0].heap;
  if (heap.held_bytes != kUnknown) {
    EXPECT_GE(heap.held_bytes, 64 * kMiB);
  }
  if (heap.committed_bytes != kUnknown) {
    EXPECT_GE(heap.committed_bytes, 64 * kMiB);
    EXPECT_LE(heap.committed_bytes, 100 * kMiB);
  }
}

// 64 blocks of 1 MiB: a page of each is resident, not the rest, where nobody
// writes more than the header.
TEST_P(EveryAllocator, UntouchedBytesAreNotResident) {
  OpProgram program;
  for (std::uint32_t i = 0; i < 64; ++i) program.Alloc(i, kMiB);
  program.Sample(0);
  const MemoryRun run =
      MeasureMemory(Spec(GetParam()), program.Close(), {Touch::kHeader});
  EXPECT_LE(run.samples[0].anonymous_bytes - run.start.anonymous_bytes,
            8 * kMiB);
}

// U: what blocks were handed out for, from the first to the last request.
TEST_P(EveryAllocator, UsableBytesFollowEveryRequest) {
  OpProgram program;
  program.Alloc(0, 100).Add(OpCode::kZeroed, 1, 30).Aligned(2, 6, 64);
  program.Sample(0).Add(OpCode::kRealloc, 0, 5000).Free(1).Sample(1);
  program.Free(0).Free(2).Sample(2);
  const MemoryRun run = MeasureMemory(Spec(GetParam()), program.Close(), {});
  if (GetParam() == "null") {  // its blocks overlap
    EXPECT_EQ(run.samples[0].usable_bytes, -1);
    return;
  }
  EXPECT_GE(run.samples[0].usable_bytes, 100 + 30 + 64);
  EXPECT_LE(run.samples[0].usable_bytes, 112 + 48 + 128);
  EXPECT_GE(run.samples[1].usable_bytes, 5000 + 64);
  EXPECT_LE(run.samples[1].usable_bytes, 5120 * 5 / 4 + 128);
  EXPECT_EQ(run.samples[2].usable_bytes, 0);
}

TEST_P(EveryAllocator, LatencyIsToldByKindOfRequest) {
  OpProgram program;
  for (std::uint32_t i = 0; i < 4000; ++i) program.Alloc(i, 40);
  for (std::uint32_t i = 0; i < 4000; ++i) program.Free(i);
  const OpsProgram& ops = program.Close();
  const LatencyRun all = MeasureLatency(Spec(GetParam()), ops, {}, 1);
  EXPECT_GT(all.clock_ns, 0);
  EXPECT_FALSE(all.kinds[1].has_value());  // nothing zeroed
  for (const OpCode kind : {OpCode::kAlloc, OpCode::kFree}) {
    const auto& figures = all.kinds[static_cast<std::size_t>(kind)];
    ASSERT_TRUE(figures.has_value());
    EXPECT_EQ(figures->timed, 4000u);
    EXPECT_GT(figures->p50, 0);
    EXPECT_LE(figures->p50, figures->p99);
    EXPECT_LE(figures->p99, figures->p999);
    EXPECT_LE(figures->p999, figures->max);
  }
  const LatencyRun some = MeasureLatency(Spec(GetParam()), ops, {}, 10);
  EXPECT_NEAR(static_cast<double>(some.kinds[0]->timed), 400, 100);
}

// The last sample asks mallinfo2(), the one before it the kernel.
TEST(SystemHeap, WhatTheKernelMapsIsWhatTheLibrarySaysItHolds) {
  OpProgram program;
  for (std::uint32_t i = 0; i < 40000; ++i) program.Alloc(i, 20 + i % 900);
  for (std::uint32_t i = 0; i < 8; ++i) program.Alloc(40000 + i, kMiB);
  for (std::uint32_t i = 0; i < 40000; i += 2) program.Free(i);
  program.Free(40000).Sample(0).Sample(1);
  const MemoryRun run = MeasureMemory(Spec("system"), program.Close(), {});
  EXPECT_GT(run.samples[0].heap.held_bytes, 20 * kMiB);
  EXPECT_NEAR(static_cast<double>(run.samples[0].heap.held_bytes),
              static_cast<double>(run.samples[1].heap.held_bytes), 4096);
  EXPECT_EQ(run.samples[0].heap.live_block_bytes, kUnknown);
  EXPECT_NE(run.samples[1].heap.live_block_bytes, kUnknown);
}

TEST_P(EveryAllocator, SaysWhoAnswers) {
  const AllocatorIdentity identity = ProbeAllocator(Spec(GetParam()));
  // A library by its path; the worker itself without its folder.
  const bool shared = GetParam() == "system" || GetParam() == "mimalloc";
  if (shared) {
    EXPECT_EQ(identity.library[0], '/');
  } else {
    EXPECT_EQ(identity.library, "replay_worker_" + GetParam());
  }
  EXPECT_EQ(identity.sha256.size(), 64u);
  EXPECT_EQ(identity.sha256.find_first_not_of("0123456789abcdef"),
            std::string::npos);
  if (GetParam() == "system") {
    EXPECT_EQ(identity.version, gnu_get_libc_version());
    EXPECT_NE(identity.library.find("libc.so"), std::string::npos);
  }
  if (GetParam() == "mimalloc") {
    EXPECT_NE(identity.library.find("libmimalloc"), std::string::npos);
  }
  if (GetParam() == "mimalloc" || GetParam() == "jemalloc") {
    EXPECT_NE(identity.version.find('.'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryAllocator,
                         testing::ValuesIn(KnownAllocators()),
                         [](const auto& info) { return info.param; });

TEST(Workers, AreFoundWithoutBeingListed) {
  EXPECT_EQ(KnownAllocators(),
            (std::vector<std::string>{"bump", "jemalloc", "mimalloc", "null",
                                      "pymalloc", "system"}));
}

// Three segments; the operations at the seams have their size or alignment in
// the ops behind them.
TEST(Workers, LongProgramsAreNotCutInsideAnOperation) {
  constexpr std::uint32_t kSegment = 16 << 20;
  OpProgram program;
  for (std::uint32_t i = 0; i < kSegment - 1; i += 2) {
    program.Alloc(0, 8).Free(0);
  }
  program.Free(0);  // of nothing: brings the seam to an odd place
  program.Aligned(1, 12, kWideSize + 5).Free(1);
  for (std::uint32_t i = 0; i < kSegment; i += 2) program.Alloc(0, 8).Free(0);
  program.Sample(0);
  const OpsProgram& ops = program.Close();
  ASSERT_GT(ops.ops, 2u * kSegment);
  const MemoryRun run = MeasureMemory(Spec("null"), ops, {Touch::kNone});
  EXPECT_EQ(run.events, 2u * kSegment + 3);
  EXPECT_EQ(run.samples[0].requested_bytes, 0);
  EXPECT_GT(MeasureTimes({Spec("null")}, ops, {}, 1, 1)[0].gross_median, 0);
}

// Calls of malloc, calloc, realloc, posix_memalign and free in the whole life
// of a worker, before main() included.
std::uint64_t CallsOf(const std::string& allocator, const OpsProgram& ops) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/calls";
  AllocatorSpec spec = Spec(allocator);
  spec.environment.push_back("LD_PRELOAD=" + Library("counting"));
  spec.environment.push_back("COUNT_FILE=" + path);
  MeasureMemory(spec, ops, {});
  std::uint64_t calls = 12345;
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(&calls), sizeof(calls));
  return calls;
}

TEST(Workers, CallNoMallocOfTheirOwn) {
  // Taking samples included. What the heaps of our own need they map.
  OpProgram empty;
  empty.Sample(0);
  const OpsProgram& none = empty.Close();
  for (const char* allocator : {"null", "bump", "system", "pymalloc"}) {
    EXPECT_EQ(CallsOf(allocator, none), 0u) << allocator;
  }
  // The system heap passes each request on, and nothing else: the count counts.
  OpProgram three;
  three.Alloc(0, 10).Add(OpCode::kRealloc, 0, 20).Free(0);
  EXPECT_EQ(CallsOf("system", three.Close()), 3u);
}

TEST(Pymalloc, HoldsWhatItsGeometrySays) {
  OpProgram program;
  program.Alloc(0, 16).Sample(0);
  const OpsProgram& ops = program.Close();
  EXPECT_EQ(MeasureMemory(Spec("pymalloc{geometry:cpython-3.9}"), ops, {})
                .samples[0]
                .heap.arenas_live,
            1);
  const auto held = [&](const char* text) {
    return MeasureMemory(Spec(text), ops, {}).samples[0].heap.held_bytes;
  };
  EXPECT_EQ(held("pymalloc{geometry:cpython-3.12}") -
                    held("pymalloc{geometry:cpython-3.9}") >=
                700 << 10,
            true)
      << "arenas of 1 MiB and of 256 KiB";
}

// Arenas whose base falls differently have 63 or 64 pools, and other pages.
TEST(MemoryRuns, OfTheSameProgramGiveTheSameFigures) {
  const int layout = personality(0xffffffff);
  if (personality(layout | ADDR_NO_RANDOMIZE) < 0) {
    GTEST_SKIP() << "address-space randomisation cannot be switched off here";
  }
  personality(layout);
  OpProgram program;
  for (std::uint32_t i = 0; i < 20000; ++i) program.Alloc(i, 200 + i % 100);
  program.Sample(0);
  const OpsProgram& ops = program.Close();
  for (const char* allocator : {"pymalloc", "bump", "null"}) {
    const MemoryRun first = MeasureMemory(Spec(allocator), ops, {});
    for (int i = 0; i < 5; ++i) {
      const MemoryRun again = MeasureMemory(Spec(allocator), ops, {});
      EXPECT_EQ(again.samples[0].anonymous_bytes,
                first.samples[0].anonymous_bytes)
          << allocator;
      EXPECT_EQ(again.minor_faults, first.minor_faults) << allocator;
    }
  }
  EXPECT_EQ(personality(0xffffffff), layout)
      << "the launcher's own is restored";
}

TEST(TimedRuns, AreInterleavedWithAnArmOfTheFirstAgain) {
  OpProgram program;
  for (int i = 0; i < 20000; ++i) program.Alloc(0, 64).Free(0);
  std::vector<int> progress;
  const std::vector<TimedRun> runs = MeasureTimes(
      {Spec("system"), Spec("null"), Spec("bump")}, program.Close(), {}, 3, 7,
      [](void* context, int done, int total) {
        EXPECT_EQ(total, 12);
        static_cast<std::vector<int>*>(context)->push_back(done);
      },
      &progress);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(progress.size(), 12u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(runs[i].gross_ns_per_event.size(), 3u);
    EXPECT_EQ(runs[i].again_ns_per_event.size(), i == 0 ? 3u : 0u);
    EXPECT_EQ(runs[i].ratio.verdict, TimeVerdict::kTooFewRounds);
    EXPECT_TRUE(runs[i].net_median.has_value());
    EXPECT_LE(runs[i].ratio.low, runs[i].ratio.median);
    EXPECT_GE(runs[i].ratio.high, runs[i].ratio.median);
  }
  EXPECT_DOUBLE_EQ(*runs[1].net_median, 0);
  EXPECT_DOUBLE_EQ(*runs[0].net_median,
                   runs[0].gross_median - runs[1].gross_median);
}

}  // namespace
}  // namespace arenalab
