// The model's figures by hand on a few blocks, and against the kernel and
// a decoder of the test's own on many.
#include "tools/replay/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "allocators/pymalloc/runtime_generation.h"
#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/arena_region.h"

namespace arenalab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Modelled {
  Samples samples;
  ModelRun run;
  const ModelSample& end() const { return run.samples.back(); }
};

Modelled ModelOf(const CompiledTrace& trace, const std::string& generation,
                 std::vector<std::size_t> offsets = {},
                 std::size_t count = 100) {
  Modelled modelled;
  modelled.samples = ChooseSamples(trace, 512, count);
  ModelOptions options;
  options.arena_offsets = std::move(offsets);
  modelled.run =
      RunModel("geometry:" + generation, trace, modelled.samples, options);
  return modelled;
}

Modelled ModelOf(const std::string& text, const std::string& generation,
                 std::vector<std::size_t> offsets = {}) {
  return ModelOf(Compiled(text), generation, std::move(offsets));
}

constexpr std::uint64_t kArenaRecords = 16 * 48;

// How many nodes the address tree has depends on the arenas' high bits: a
// reservation anywhere would now and then straddle two, and held bytes, which
// gates judge to the byte, differ from run to run.
TEST(Model, ItsArenasLieAtTheSameLowBitsWhereverTheKernelPutsThem) {
  const ArenaRegion first(256 * 1024, {}, nullptr);
  const ArenaRegion second(256 * 1024, {}, nullptr);
  EXPECT_NE(first.begin(), second.begin());
  EXPECT_EQ(first.begin() % first.bytes(), 0);
  EXPECT_EQ(second.begin() % second.bytes(), 0);
  EXPECT_GE(first.bytes(), std::size_t{1} << 34);
}

TEST(Model, EveryPartOfTheWaterfallIn4KiBPools) {
  // 100 bytes take a block of 112 (36 a pool, 16 bytes of tail), 20 one of 32
  // (126 a pool, 16 of tail); 600 are not pymalloc's.
  const Modelled m =
      ModelOf("malloc 1 100\nmalloc 2 20\nmalloc 3 600\n", "cpython-3.8");
  EXPECT_THAT(m.end().waterfall.bytes,
              ElementsAre(100 + 20, 12 + 12, 2 * 48, 16 + 16,
                          35 * 112 + 125 * 32, 62 * 4096, 0, kArenaRecords));
  EXPECT_EQ(m.end().waterfall.held_bytes(), 256 * 1024 + kArenaRecords);
  EXPECT_EQ(m.end().large_requested_bytes, 600u);
  EXPECT_EQ(m.end().arenas_live, 1u);
  EXPECT_EQ(m.end().committed_bytes, 2 * 4096u);
  EXPECT_EQ(m.end().pools[6], 1u);
  EXPECT_EQ(m.end().used_blocks[6], 1u);
  EXPECT_EQ(m.end().used_blocks[1], 1u);
}

TEST(Model, EveryPartOfTheWaterfallInA16KiBPoolOfAShiftedArena) {
  // 512-byte blocks: 31 a pool, 464 bytes of tail. A base that is no multiple
  // of the pool costs one pool of 64. The radix tree of 3.11: root and middle
  // node of 262,144 bytes, bottom node of 131,072.
  const Modelled m = ModelOf("malloc 1 512\n", "cpython-3.11", {4096});
  EXPECT_THAT(m.end().waterfall.bytes,
              ElementsAre(512, 0, 48, 464, 30 * 512, 62 * 16384, 16384,
                          kArenaRecords + 262144 + 262144 + 131072));
}

TEST(Model, FreedBlocksOfALivePoolAreFreeBlocksThoseOfAnEmptyOneFreePools) {
  const Modelled m =
      ModelOf("malloc 1 512\nmalloc 2 512\nmalloc 3 16\nfree 2\nfree 3\n",
              "cpython-3.11");
  EXPECT_EQ(m.end().waterfall.bytes[4], 30 * 512u);
  EXPECT_EQ(m.end().waterfall.bytes[5], 63 * 16384u);
}

TEST(Model, CommittedPagesAreHeaderBlockAndTheBlockLinkedAhead) {
  const auto committed = [](int blocks, int bytes) {
    std::string text;
    for (int i = 0; i < blocks; ++i)
      text +=
          "malloc " + std::to_string(i) + " " + std::to_string(bytes) + "\n";
    return ModelOf(text, "cpython-3.11").end().committed_bytes;
  };
  // Block k begins at 48 + 512 k: the eighth ends on the second page.
  EXPECT_EQ(committed(1, 512), 4096u);
  EXPECT_EQ(committed(7, 512), 4096u);
  EXPECT_EQ(committed(8, 512), 8192u);
  // Block 252 of 16 bytes ends where the second page begins; when it is handed
  // out, block 253 is linked, and its first word is on that page.
  EXPECT_EQ(committed(252, 16), 4096u);
  EXPECT_EQ(committed(253, 16), 8192u);
}

TEST(Model, CommittedPagesStayUntilTheArenaGoes) {
  const std::string fill = "malloc 1 100\nmalloc 2 200\n";
  EXPECT_EQ(
      ModelOf(fill + "free 1\nfree 2\n", "cpython-3.11").end().committed_bytes,
      8192u);
  EXPECT_EQ(
      ModelOf(fill + "free 1\nfree 2\n", "cpython-3.8").end().committed_bytes,
      0u);
}

TEST(Model, ReallocInPlaceChangesOnlyWhatIsRequested) {
  const Modelled m =
      ModelOf("malloc 1 100\nrealloc 1 112\nrealloc 1 85\n", "cpython-3.8");
  EXPECT_EQ(m.end().waterfall.bytes[0], 85u);
  EXPECT_EQ(m.end().waterfall.bytes[1], 112u - 85);
  EXPECT_EQ(m.end().used_blocks[6], 1u);
}

TEST(Model, ForeignRequestsAreNotPymallocsWhateverTheirSize) {
  const Modelled m = ModelOf(Compiled("malloc 1 100 domain=raw\nmalloc 2 50\n"
                                      "realloc 1 60 domain=raw\n",
                                      Scope::kPythonAndRaw),
                             "cpython-3.8");
  EXPECT_EQ(m.end().waterfall.bytes[0], 50u);
  EXPECT_EQ(m.end().large_requested_bytes, 60u);
}

TEST(Model, SegregationIsTheSumOfEachClasssPeak) {
  // Never at once, but no class turns its blocks over to the other.
  const Modelled m =
      ModelOf("malloc 1 16\nmalloc 2 16\nfree 1\nfree 2\nmalloc 3 512\n",
              "cpython-3.11");
  EXPECT_EQ(m.run.segregation_bytes, 2 * 16 + 512u);
}

TEST(Model, HoldersAreTheLiveBlocksOfEachArenaAtTheMoments) {
  // An arena of 3.8 has 64 pools of 7 blocks of 512 bytes.
  std::string text;
  for (int i = 0; i < 64 * 7 + 3; ++i)
    text += "malloc " + std::to_string(i) + " 512\n";
  for (int i = 0; i < 64 * 7 - 1; ++i)
    text += "free " + std::to_string(i) + "\n";
  const Modelled m = ModelOf(text + "mark finalise\n", "cpython-3.8");
  ASSERT_EQ(m.run.retention.size(), 2u);
  EXPECT_THAT(m.run.retention[0].live_blocks, ElementsAre(3, 448));
  const Retention& valley = m.run.retention[1];
  EXPECT_EQ(valley.sample, *m.samples.moments.last_valley());
  EXPECT_THAT(valley.live_blocks, ElementsAre(1, 3));
  // The first arena's last block, request 447, is older than the second's.
  ASSERT_EQ(valley.pinned.size(), 2u);
  EXPECT_EQ(valley.pinned[0].ordinal, 0u);
  ASSERT_EQ(valley.pinned[0].pinners.size(), 1u);
  EXPECT_EQ(valley.pinned[0].pinners[0].request, 447u);
  EXPECT_EQ(valley.pinned[0].pinners[0].age_requests, 898u - 447);
  EXPECT_EQ(valley.pinned[0].pinners[0].requested_bytes, 512u);
  EXPECT_EQ(valley.pinned[0].pinners[0].size_class, 31u);
  EXPECT_EQ(valley.pinned[1].pinners.size(), 3u);
  // At the peak 447 blocks of the first arena die one after the other, from
  // request 452 on, the median (index 223 of 447) at 675; the last at the end.
  EXPECT_EQ(m.run.retention[0].mixing_max, 898u - 675);
  // 64 pools of 7 blocks: at the valley one is live in each arena's first or
  // last used pool, so 63 and 63 pools are free.
  ASSERT_EQ(m.run.pages.size(), 2u);
  EXPECT_EQ(m.run.pages[1].potential.free_pools_bytes, 2 * 63 * 4096u);
  EXPECT_EQ(m.run.pages[1].potential.free_pages_bytes, 2 * 63 * 4096u);
  EXPECT_EQ(m.run.pages[1].potential.free_pools_committed_bytes, 63 * 4096u);
  EXPECT_THAT(m.run.arena_lifetimes, IsEmpty());
  EXPECT_EQ(m.run.arenas_created, 2u);
  EXPECT_EQ(m.run.arenas_high_water, 2u);
}

TEST(Model, AnEmptyTraceHoldsNothing) {
  EXPECT_EQ(ModelOf("", "cpython-3.8").end().waterfall.held_bytes(), 0u);
  // The root of the radix tree is there before any arena.
  const Modelled m = ModelOf("", "cpython-3.11");
  EXPECT_EQ(m.end().waterfall.held_bytes(), 262144u);
  EXPECT_EQ(m.end().committed_bytes, 0u);
  EXPECT_EQ(m.run.arenas_created, 0u);
}

TEST(Model, OnlyLargeRequestsTakeNoArena) {
  const Modelled m =
      ModelOf("malloc 1 513\nmalloc 2 0\nrealloc 1 100\n", "cpython-3.11");
  EXPECT_EQ(m.run.arenas_created, 0u);
  EXPECT_EQ(m.end().large_requested_bytes, 100u);
}

// C against the kernel: the same steps on a heap of the test's own, every block
// filled to the size that was asked for, and resident pages counted by mincore.
class FillingReplay : public ArenaListener {
 public:
  FillingReplay(const CompiledTrace& trace, std::string_view settings,
                std::vector<std::size_t> offsets)
      : cursor_(trace),
        region_(Cpython311::kGeometry.arena_bytes, std::move(offsets), this),
        blocks_(trace.slots) {
    HeapOptions options;
    options.settings = settings;
    options.arena_source = region_.source();
    heap_.emplace(options);
  }

  std::uint64_t ResidentAfter(std::uint64_t steps) {
    Step step;
    while (cursor_.steps() < steps && cursor_.Next(&step)) {
      void*& block = blocks_[step.slot];
      if (step.code == OpCode::kFree) {
        heap_->Free(block);
        block = nullptr;
        continue;
      }
      block = step.code == OpCode::kRealloc
                  ? heap_->Reallocate(block, step.size_bytes)
                  : heap_->Allocate(step.size_bytes);
      std::memset(block, 0x5a, step.size_bytes);
    }
    std::uint64_t pages = 0;
    for (std::size_t slot = 0; slot < region_.slots().size(); ++slot) {
      if (region_.slots()[slot].base == 0) continue;
      std::vector<unsigned char> resident(region_.slot_bytes() / 4096);
      EXPECT_EQ(mincore(reinterpret_cast<void*>(region_.begin() +
                                                slot * region_.slot_bytes()),
                        region_.slot_bytes(), resident.data()),
                0);
      for (const unsigned char page : resident) pages += page & 1;
    }
    return pages * 4096;
  }

 private:
  void OnAcquire(std::size_t slot, std::uint64_t) override {
    // A huge page would make its neighbours resident.
    madvise(
        reinterpret_cast<void*>(region_.begin() + slot * region_.slot_bytes()),
        region_.slot_bytes(), MADV_NOHUGEPAGE);
  }
  void OnRelease(std::size_t, std::uint64_t) override {}
  void OnDiscard(std::uint64_t, std::uint64_t) override {}

  StepCursor cursor_;
  ArenaRegion region_;
  std::vector<void*> blocks_;
  std::optional<Heap<RuntimeGeneration>> heap_;
};

// Compares at fifty samples; returns the most that was resident.
std::uint64_t CompareWithTheKernel(const std::string& settings) {
  const std::string path = ScratchPath(".trace");
  WriteGoldenTrace(path, GoldenStream2);
  TraceReader reader(path);
  const CompiledTrace trace = Compile(reader, Scope::kPython);
  const std::vector<std::size_t> offsets = {4096, 0, 12288};
  const Samples samples = ChooseSamples(trace, 512, 50);
  ModelOptions options;
  options.arena_offsets = offsets;
  const ModelRun run = RunModel(settings, trace, samples, options);
  FillingReplay filling(trace, settings, offsets);
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    const std::uint64_t resident =
        filling.ResidentAfter(samples.timeline.steps[i]);
    EXPECT_EQ(run.samples[i].committed_bytes, resident) << "sample " << i;
    most = std::max(most, resident);
  }
  return most;
}

TEST(Model, CommittedIsWhatTheKernelHasForAReplayThatFills) {
  if (sysconf(_SC_PAGESIZE) != 4096) {
    GTEST_SKIP() << "this machine's pages are not of 4 KiB";
  }
  EXPECT_GT(CompareWithTheKernel("geometry:cpython-3.11"), 4u << 20);
}

TEST(Model, CommittedFollowsPagesThatEmptyPoolsGiveBack) {
  if (sysconf(_SC_PAGESIZE) != 4096) {
    GTEST_SKIP() << "this machine's pages are not of 4 KiB";
  }
  EXPECT_GT(CompareWithTheKernel("geometry:cpython-3.11,madvise_free_pools:1"),
            4u << 20);
}

}  // namespace
}  // namespace arenalab
