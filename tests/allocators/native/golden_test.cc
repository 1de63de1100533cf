// The native allocator is a real interpreter's, fresh: driven through it, the
// golden streams give the hashes that were logged from the real allocator by
// other means (tests/allocators/pymalloc/golden_test.cc has them for the
// clone). On every interpreter of this machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/allocators/native/native_run.h"
#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/op_program.h"

namespace arenalab {
namespace {

struct Golden {
  std::uint64_t stream1[2];  // by placement: arenas at offset 0; at 1, 2, 3, 0
  std::uint64_t stream2[2];  // pages
  std::uint64_t stream3;
  std::uint32_t fill_blocks;  // of 512 bytes fill an arena: stream 3
  std::uint64_t pool_pages;
};

// From real interpreters 3.7.16, 3.8.18; 3.9.18; 3.10.13 to 3.13.0. Before
// 3.7.4 the classes are eight bytes apart, unless pyenv has patched the
// release: both are real.
constexpr Golden kClassic = {{0x8bad5274be6a092f, 0x8bad5274be6a092f},
                             {0xad829edef91a9a32, 0xad829edef91a9a32},
                             0,
                             448,
                             1};
constexpr Golden k374 = {{0x317ed0d4ad91eef4, 0x317ed0d4ad91eef4},
                         {0xefce1d98e75f20b1, 0xefce1d98e75f20b1},
                         0x0fa43eded45395da,
                         448,
                         1};
constexpr Golden k39 = {{0x82fb414f7ca3536e, 0x82fb414f7ca3536e},
                        {0x40ed282501bf4134, 0x40ed282501bf4134},
                        0xe2e43f64604840b1,
                        448,
                        1};
constexpr Golden k310 = {{0x72832301054e7f5f, 0xfeed4dfdb27a6d50},
                         {0x5961f58115bd69aa, 0x6352298585ffccfb},
                         0xac9d3cc6c9f668b1,
                         1984,
                         4};

std::uint64_t HashOf(const NativeRun& run) {
  std::uint64_t hash = 1469598103934665603u;
  const auto record = [&](std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte)
      hash = (hash ^ (word >> 8 * byte & 0xff)) * 1099511628211u;
  };
  for (const std::uint64_t word : run.log) {
    const std::uint64_t arena = ArenaOfPlacement(word);
    switch (KindOfPlacement(word)) {
      case PlacementKind::kBlock:
        record(arena);
        record(OffsetOfPlacement(word));
        break;
      case PlacementKind::kRaw:
        record(0xFFFFFFFF);
        break;
      case PlacementKind::kAcquired:
        record(0xA0000000 + arena);
        break;
      case PlacementKind::kReleased:
        record(0xF0000000 + arena);
        break;
    }
  }
  record(static_cast<std::uint64_t>(run.end.heap.arenas_created));
  record(static_cast<std::uint64_t>(run.end.heap.arenas_live));
  return hash;
}

void AddStream(int stream, std::uint32_t fill_blocks, OpProgram* program) {
  const GoldenSink sink = [&](EventKind what, std::uint64_t slot,
                              std::uint64_t size) {
    const OpCode code = what == EventKind::kFree      ? OpCode::kFree
                        : what == EventKind::kRealloc ? OpCode::kRealloc
                                                      : OpCode::kAlloc;
    program->Add(code, static_cast<std::uint32_t>(slot), size);
  };
  if (stream == 1) GoldenStream1(sink);
  if (stream == 2) GoldenStream2(sink);
  if (stream == 3) {
    for (std::uint32_t i = 0; i < fill_blocks; ++i) program->Alloc(i, 512);
    for (int i = 0; i < 1000; ++i) {
      program->Alloc(fill_blocks, 512).Free(fill_blocks);
    }
    for (std::uint32_t i = 0; i < fill_blocks; ++i) program->Free(i);
  }
  program->Sample(0);
}

class NativeGoldenTest : public testing::TestWithParam<std::string> {
 protected:
  AllocatorSpec spec_ = ParseAllocatorSpec("native:" + GetParam());
  std::string version_ = ProbeAllocator(spec_).version;

  // What this release, or a patched build of it, gives.
  std::vector<Golden> Accepted() const {
    EXPECT_NE(version_, "");
    const std::string release = version_.substr(0, version_.find(' '));
    const int minor = std::atoi(release.c_str() + 2);
    if (minor >= 10) return {k310};
    if (minor == 9) return {k39};
    if (minor == 8) return {k374};
    return {k374, kClassic};
  }

  std::uint64_t Run(int stream, bool shifted, const Golden& golden) {
    OpProgram program;
    AddStream(stream, golden.fill_blocks, &program);
    std::vector<std::size_t> offsets{0};
    if (shifted) offsets = {4096, 8192, 12288, 0};
    const OpsProgram& closed = program.Close();
    const NativeRun run = RunNative(spec_, closed, offsets);
    EXPECT_EQ(run.check.corrupted, 0u);
    EXPECT_EQ(run.check.failed, 0u);
    return HashOf(run);
  }
};

TEST_P(NativeGoldenTest, RandomRequestsGetTheRealAddresses) {
  std::set<std::uint64_t> accepted;
  for (const Golden& golden : Accepted()) accepted.insert(golden.stream1[0]);
  EXPECT_EQ(accepted.count(Run(1, false, Accepted()[0])), 1u) << version_;
}

TEST_P(NativeGoldenTest, ArenasThatComeAndGoAreTheRealOnes) {
  std::set<std::uint64_t> accepted;
  for (const Golden& golden : Accepted()) accepted.insert(golden.stream2[0]);
  EXPECT_EQ(accepted.count(Run(2, false, Accepted()[0])), 1u) << version_;
}

TEST_P(NativeGoldenTest, ArenasBeginWhereTheyAreToldTo) {
  std::set<std::uint64_t> accepted[2];
  for (const Golden& golden : Accepted()) {
    accepted[0].insert(golden.stream1[1]);
    accepted[1].insert(golden.stream2[1]);
  }
  EXPECT_EQ(accepted[0].count(Run(1, true, Accepted()[0])), 1u) << version_;
  EXPECT_EQ(accepted[1].count(Run(2, true, Accepted()[0])), 1u) << version_;
}

TEST_P(NativeGoldenTest, TheLastArenasComingAndGoingIsTheReleases) {
  const std::uint64_t hash = Run(3, false, Accepted()[0]);
  if (Accepted().size() == 1) {
    EXPECT_EQ(hash, Accepted()[0].stream3) << version_;
  } else {
    // Classes of 8 and of 16 bytes put a full arena of 512 the same way.
    EXPECT_EQ(hash, k374.stream3) << version_;
  }
}

TEST_P(NativeGoldenTest, WithPythonmallocNoBlockLiesInAnArena) {
  OpProgram program;
  for (std::uint32_t slot = 0; slot < 1000; ++slot) program.Alloc(slot, 100);
  const OpsProgram& closed = program.Sample(0).Close();
  const auto blocks_in_arenas = [&](const AllocatorSpec& spec) {
    return std::ranges::count(RunNative(spec, closed, {}).log,
                              PlacementKind::kBlock, KindOfPlacement);
  };
  EXPECT_EQ(blocks_in_arenas(spec_), 1000);
  EXPECT_EQ(blocks_in_arenas(ParseAllocatorSpec("native:" + GetParam() +
                                                "{PYTHONMALLOC:malloc}")),
            0);
}

INSTANTIATE_TEST_SUITE_P(Machine, NativeGoldenTest,
                         testing::ValuesIn(Interpreters()),
                         [](const auto& info) { return LabelOf(info.param); });

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NativeGoldenTest);
TEST(MachineTest, HasAnInterpreter) {
  if (Interpreters().empty()) GTEST_SKIP() << "no python3 on this machine";
}

}  // namespace
}  // namespace arenalab
