// How ops come into a worker, and how the kernel's answer is read.
#include "tools/replay/worker_segment.h"

#include <gtest/gtest.h>

#include "tests/tools/replay/op_program.h"
#include "tools/replay/worker_rss.h"

namespace arenalab {
namespace {

TEST(SegmentReader, ReadsAShortProgramAsOneSegment) {
  OpProgram program;
  program.Alloc(0, 8).Add(OpCode::kClock, 0, 5).Free(0);
  const OpsProgram& ops = program.Close();
  SegmentReader reader(ops.fd, ops.ops, ops.slots, 0);
  Segment segment;
  ASSERT_TRUE(reader.Next(&segment));
  EXPECT_EQ(segment.end - segment.begin, 3);
  EXPECT_EQ(segment.events, 2u) << "the clock is no request";
  EXPECT_EQ(SizeOf(segment.begin[1]), 5u);
  EXPECT_FALSE(reader.Next(&segment));
  EXPECT_EQ(reader.error(), nullptr);
}

TEST(SegmentReader, OpsBehindTheEndCanBeLookedAt) {
  // Exactly one page of ops: what lies behind is another page.
  OpProgram program;
  for (int i = 0; i < 511; ++i) program.Free(0);
  const OpsProgram& ops = program.Close();
  ASSERT_EQ(ops.ops * sizeof(Op), 4096u);
  SegmentReader reader(ops.fd, ops.ops, ops.slots, 0);
  Segment segment;
  ASSERT_TRUE(reader.Next(&segment));
  EXPECT_EQ(segment.end[kReadAhead].slot, 0u);
}

TEST(SegmentReader, DroppedOpsComeBack) {
  OpProgram program;
  program.Alloc(0, 77);
  const OpsProgram& ops = program.Close();
  SegmentReader reader(ops.fd, ops.ops, ops.slots, 0);
  Segment segment;
  ASSERT_TRUE(reader.Next(&segment));
  reader.Drop();
  EXPECT_EQ(SizeOf(segment.begin[0]), 77u);
}

TEST(SegmentReader, RefusesWhatWouldReadOutOfBounds) {
  const auto error_of = [](OpProgram& program, std::uint32_t slots,
                           std::uint32_t samples) {
    const OpsProgram& ops = program.Close();
    SegmentReader reader(ops.fd, ops.ops, slots, samples);
    Segment segment;
    while (reader.Next(&segment)) {
    }
    return std::string(reader.error() == nullptr ? "" : reader.error());
  };
  OpProgram slot;
  slot.Free(3);
  EXPECT_EQ(error_of(slot, 3, 0), "an op is out of bounds");
  OpProgram last_slot;
  last_slot.Free(3);
  EXPECT_EQ(error_of(last_slot, 4, 0), "");
  OpProgram sample;
  sample.Sample(2);
  EXPECT_EQ(error_of(sample, 1, 2), "an op is out of bounds");
  OpProgram alignment;
  alignment.Aligned(0, 64, 8);
  EXPECT_EQ(error_of(alignment, 1, 0), "an op is out of bounds");
}

TEST(SegmentReader, RefusesAProgramWithoutEnd) {
  OpProgram program;
  program.Free(0);
  const OpsProgram& ops = program.CloseWithoutEnd();
  SegmentReader reader(ops.fd, ops.ops, 1, 0);
  Segment segment;
  EXPECT_FALSE(reader.Next(&segment));
  EXPECT_STREQ(reader.error(), "the ops have no end");
}

TEST(WideOps, HoldAnySize) {
  for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1} << 29,
                             ~std::uint64_t{0}, 0x0123456789abcdefu}) {
    EXPECT_EQ(WideOf(MakeWide(size)), size);
  }
}

TEST(FieldOfSmaps, ReadsKibibytesOfTheNamedLine) {
  constexpr const char* kText =
      "55d000000000-7ffc00000000 ---p 00000000 00:00 0    [rollup]\n"
      "Rss:                1552 kB\n"
      "Pss:                 210 kB\n"
      "Pss_Anon:             96 kB\n"
      "Anonymous:            97 kB\n";
  EXPECT_EQ(FieldOfSmaps(kText, "Rss:"), 1552 * 1024);
  EXPECT_EQ(FieldOfSmaps(kText, "Anonymous:"), 97 * 1024);
  EXPECT_EQ(FieldOfSmaps(kText, "Swap:"), -1);
  EXPECT_EQ(FieldOfSmaps("", "Rss:"), -1);
}

TEST(ReadResident, AnswersForThisProcess) {
  const Resident resident = ReadResident();
  EXPECT_GT(resident.rss_bytes, 256 << 10);
  EXPECT_GT(resident.anonymous_bytes, 0);
  EXPECT_LT(resident.anonymous_bytes, resident.rss_bytes);
}

}  // namespace
}  // namespace arenalab
