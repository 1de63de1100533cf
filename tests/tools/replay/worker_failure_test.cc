// Libraries by path, sound and not, malformed programs, requests that no heap
// can serve: what comes back to the launcher.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/tools/replay/op_program.h"
#include "tests/tools/replay/worker_fixture.h"
#include "tools/replay/measure.h"

namespace arenalab {
namespace {

TEST(LibraryByPath, ServesTheRequests) {
  const AllocatorSpec spec = Spec(Library("sound"));
  const AllocatorIdentity identity = ProbeAllocator(spec);
  EXPECT_EQ(identity.library, spec.library);
  EXPECT_EQ(identity.version, "") << "glibc's would be another's";
  OpProgram program;
  AddMixedRequests(&program);
  const CheckRun run = CheckReplay(spec, program.Close(), {});
  EXPECT_EQ(run.failed, 0u);
  EXPECT_EQ(run.corrupted, 0u);
}

TEST(LibraryByPath, WhoseBlocksOverlapIsCaughtByTheCheck) {
  OpProgram program;
  for (std::uint32_t i = 0; i < 64; ++i) program.Alloc(i, 100);
  for (std::uint32_t i = 0; i < 64; ++i) program.Free(i);
  const CheckRun run =
      CheckReplay(Spec(Library("overlapping")), program.Close(), {});
  EXPECT_GE(run.corrupted, 7u);
  EXPECT_LE(run.corrupted, 9u);
}

TEST(LibraryByPath, ThatProvidesOnlyHalfIsRefused) {
  const std::string error =
      ErrorOf([] { ProbeAllocator(Spec(Library("partial"))); });
  EXPECT_NE(error.find("does not provide all of malloc, calloc, realloc"),
            std::string::npos)
      << error;
}

TEST(LibraryByPath, ThatIsNoMallocIsRefused) {
  // Any library will do that is surely here.
  const std::string libc = ProbeAllocator(Spec("system")).library;
  const std::string libm = libc.substr(0, libc.rfind('/')) + "/libm.so.6";
  const std::string error = ErrorOf([&] { ProbeAllocator(Spec(libm)); });
  EXPECT_NE(error.find("does not provide"), std::string::npos) << error;
}

TEST(LibraryByPath, ThatCrashesIsNamedWithItsSignal) {
  OpProgram program;
  for (std::uint32_t i = 0; i < 8; ++i) program.Alloc(i, 100);
  const OpsProgram& ops = program.Close();
  const std::string error =
      ErrorOf([&] { MeasureMemory(Spec(Library("crashing")), ops, {}); });
  EXPECT_NE(error.find("worker_crashing_malloc.so"), std::string::npos)
      << error;
  EXPECT_NE(error.find("signal 11 (Segmentation fault)"), std::string::npos)
      << error;
  EXPECT_NE(error.find("at least 2 requests"), std::string::npos) << error;
}

TEST(MalformedPrograms, AreRefused) {
  OpProgram endless;
  endless.Alloc(0, 1);
  const OpsProgram& without_end = endless.CloseWithoutEnd();
  EXPECT_NE(ErrorOf([&] {
              MeasureMemory(Spec("null"), without_end, {});
            }).find("no end"),
            std::string::npos);
  OpProgram wild;
  wild.Alloc(5, 1);
  OpsProgram ops = wild.Close();
  ops.slots = 5;
  for (const auto& run :
       {+[](const OpsProgram& p) { MeasureTimes({Spec("null")}, p, {}, 1, 1); },
        +[](const OpsProgram& p) { MeasureMemory(Spec("null"), p, {}); }}) {
    EXPECT_NE(ErrorOf([&] { run(ops); }).find("out of bounds"),
              std::string::npos);
  }
}

TEST(FailedRequests, AreCountedAndLeaveTheReplayRunning) {
  OpProgram program;
  program.Alloc(0, std::uint64_t{1} << 60).Alloc(1, 10);
  program.Add(OpCode::kRealloc, 1, std::uint64_t{1} << 60).Free(1).Free(0);
  program.Sample(0);
  const MemoryRun run = MeasureMemory(Spec("system"), program.Close(), {});
  EXPECT_EQ(run.events, 5u);
  EXPECT_EQ(run.failed, 2u);
  EXPECT_EQ(run.samples[0].requested_bytes, 0);
}

}  // namespace
}  // namespace arenalab
