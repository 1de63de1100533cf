// Verify on small traces whose addresses are those that real interpreters gave
// (3.8.18 and 3.11.7), and on each way to spoil them.
#include "tools/verify/verify.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/verify/trace_builder.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kArena38 = 256 << 10;
constexpr std::uint64_t kArena311 = 1 << 20;
constexpr std::uint64_t kBase = 0x7f0000000000;  // a multiple of every pool

// malloc(100) four times, the second and the first freed, malloc three times:
// the third gets the block that was linked ahead of need.
void FreeListOrder(TraceBuilder& trace, std::uint64_t at) {
  trace.Malloc(100, at + 48).Malloc(100, at + 160);
  trace.Malloc(100, at + 272).Malloc(100, at + 384);
  trace.Free(at + 160).Free(at + 48);
  trace.Malloc(100, at + 48).Malloc(100, at + 160).Malloc(100, at + 496);
}

std::string FreeListOrderTrace(const std::string& name) {
  TraceBuilder trace(name, "cpython-3.8.18");
  trace.Acquire(kBase, kArena38);
  FreeListOrder(trace, kBase);
  return trace.Finish();
}

TEST(VerifyTest, FreeListOrderOfARealInterpreterIsEqual) {
  const VerifyReport report = Verify(FreeListOrderTrace("order.trace"), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.geometry, "cpython-3.8");
  EXPECT_EQ(report.requests, 9u);
  EXPECT_EQ(report.served, 7u);
  EXPECT_EQ(report.compared, 7u);
  EXPECT_EQ(report.frees, 2u);
  EXPECT_EQ(report.arenas_acquired, 1u);
  EXPECT_EQ(report.mismatches, 0u);
  EXPECT_FALSE(report.first.has_value());
}

TEST(VerifyTest, APoolEmptiedAndReusedForItsClassKeepsItsFreeList) {
  TraceBuilder trace("reuse.trace", "cpython-3.11.7");
  trace.Acquire(kBase, kArena311);
  trace.Malloc(200, kBase + 48).Malloc(200, kBase + 256);
  trace.Malloc(200, kBase + 464);
  trace.Free(kBase + 48).Free(kBase + 464).Free(kBase + 256);
  trace.Malloc(200, kBase + 256).Malloc(200, kBase + 464);
  trace.Malloc(200, kBase + 48).Malloc(200, kBase + 672);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
}

TEST(VerifyTest, AnArenaThatIsNotPoolAlignedBeginsWithTheNextPool) {
  TraceBuilder trace("misaligned.trace", "cpython-3.11");
  trace.Acquire(kBase + 4096, kArena311);
  FreeListOrder(trace, kBase + 16384);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
}

TEST(VerifyTest, TheFirstDifferenceIsNamedAndTheReplayGoesOn) {
  TraceBuilder trace("wrong.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38);
  trace.Malloc(100, kBase + 48).Malloc(100, kBase + 272);  // 160 is right
  trace.Malloc(40, kBase + 4096 + 48);
  const VerifyReport report = Verify(trace.Finish(), {});
  ASSERT_EQ(report.status, VerifyStatus::kMismatch);
  EXPECT_EQ(report.mismatches, 1u);
  EXPECT_EQ(report.compared, 3u);
  EXPECT_EQ(report.first->what, MismatchKind::kAddress);
  EXPECT_EQ(report.first->event, 1u);
  EXPECT_EQ(report.first->size_bytes, 100u);
  EXPECT_EQ(report.first->class_bytes, 112u);
  EXPECT_EQ(report.first->expected.address, kBase + 160);
  EXPECT_EQ(report.first->recorded.address, kBase + 272);
  const std::string text = VerifyText(report);
  EXPECT_NE(text.find("EVENT 1 "), std::string::npos) << text;
  EXPECT_NE(text.find("0x7f00000000a0"), std::string::npos) << text;
  EXPECT_NE(text.find("0x7f0000000110"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(VerifyJson(report));
  EXPECT_EQ(json["schema"], "arenalab.verify/1");
  EXPECT_EQ(json["status"], "mismatch");
  EXPECT_EQ(json["first"]["event"], 1);
  EXPECT_EQ(json["first"]["expected"]["address"], "0x7f00000000a0");
}

TEST(VerifyTest, ReallocFollowsItsRules) {
  // 112 bytes: 85 stays, 84 moves to the class of 96, whereby the first pool
  // is empty and is the next to be taken. A block of 16 asked to hold 10 moves
  // though its class would do.
  TraceBuilder trace("realloc.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).In(Layer::kMem);
  trace.Malloc(112, kBase + 48);
  trace.Realloc(kBase + 48, 85, kBase + 48);
  trace.Realloc(kBase + 48, 84, kBase + 4096 + 48);
  trace.Malloc(1, kBase + 48);
  trace.Realloc(kBase + 48, 10, kBase + 64);
  trace.Realloc(0, 1, kBase + 48);  // what the move gave up
  // Zero bytes leave pymalloc, and never come back.
  trace.Realloc(kBase + 48, 0, 0x5000);
  trace.Realloc(0x5000, 8, 0x6000);
  trace.Malloc(16, kBase + 48);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.served, 7u);
}

TEST(VerifyTest, OneSideAloneServingIsAMismatch) {
  TraceBuilder raw("raw.trace", "cpython-3.8");
  raw.Acquire(kBase, kArena38).Malloc(16, kBase + 48).Malloc(16, 0x5000);
  const VerifyReport only_clone = Verify(raw.Finish(), {});
  ASSERT_EQ(only_clone.status, VerifyStatus::kMismatch);
  EXPECT_EQ(only_clone.first->what, MismatchKind::kOnlyClone);

  TraceBuilder large("large.trace", "cpython-3.8");
  large.Acquire(kBase, kArena38).Malloc(16, kBase + 48);
  large.Malloc(513, kBase + 4096 + 48);
  const VerifyReport only_interpreter = Verify(large.Finish(), {});
  ASSERT_EQ(only_interpreter.status, VerifyStatus::kMismatch);
  EXPECT_EQ(only_interpreter.first->what, MismatchKind::kOnlyInterpreter);
}

TEST(VerifyTest, RawRequestsOfAnySizeAreNotCompared) {
  TraceBuilder trace("large_ok.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48);
  trace.Malloc(0, 0x5000).Malloc(513, 0x6000).Calloc(1 << 30, 0x7000);
  trace.Free(0x5000).Free(0x6000).Free(0x7000);
  trace.In(Layer::kRaw).Malloc(16, 0x5000);   // the raw domain is not
  trace.In(Layer::kLibc).Malloc(16, 0x6000);  // pymalloc's
  trace.In(Layer::kObject).Nested(16, 0x7000);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.served, 1u);
}

TEST(VerifyTest, ARequestThatFailedChangesNothing) {
  TraceBuilder trace("failed.trace", "cpython-3.8");
  trace.Acquire(0, kArena38).Malloc(16, 0);  // neither arena nor raw memory
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48);
  trace.Realloc(kBase + 48, 1 << 30, 0);
  trace.Realloc(kBase + 48, 16, kBase + 48);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
}

TEST(VerifyTest, FrameChunksAreNoArenas) {
  TraceBuilder trace("chunk.trace", "cpython-3.11");
  trace.Acquire(kBase - 16384, 16384);
  trace.Acquire(kBase, kArena311).Malloc(16, kBase + 48);
  trace.Release(kBase - 16384, 16384);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.arenas_acquired, 1u);
  EXPECT_EQ(report.arenas_released, 0u);
}

TEST(VerifyTest, AnArenaReleasedInTheRecordingOnlyIsAMismatch) {
  // 3.9 keeps the last wholly free arena, 3.8 does not.
  const auto write = [](const std::string& name, const std::string& geometry) {
    TraceBuilder trace(name, geometry);
    trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48).Free(kBase + 48);
    trace.Release(kBase, kArena38);
    return trace.Finish();
  };
  EXPECT_EQ(Verify(write("r38.trace", "cpython-3.8"), {}).status,
            VerifyStatus::kEqual);
  const VerifyReport kept = Verify(write("r39.trace", "cpython-3.9"), {});
  ASSERT_EQ(kept.status, VerifyStatus::kMismatch);
  EXPECT_EQ(kept.first->what, MismatchKind::kReleaseOnlyInterpreter);
}

TEST(VerifyTest, AnArenaReleasedByTheCloneOnlyIsAMismatchEvenAtTheEnd) {
  TraceBuilder trace("kept.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48).Free(kBase + 48);
  const VerifyReport report = Verify(trace.Finish(), {});
  ASSERT_EQ(report.status, VerifyStatus::kMismatch);
  EXPECT_EQ(report.first->what, MismatchKind::kReleaseOnlyClone);
}

TEST(VerifyTest, InAnIncompleteTraceTheLastReleaseMayBeMissing) {
  TraceBuilder trace("cut.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48).Free(kBase + 48);
  const VerifyReport report = Verify(trace.Abandon(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_NE(report.warnings[0].find("incomplete"), std::string::npos);
}

TEST(VerifyTest, EachInterpreterHasAHeapOfItsOwn) {
  constexpr std::uint64_t kOther = kBase + 8 * kArena311;
  TraceBuilder trace("states.trace", "cpython-3.12");
  trace.In(Layer::kObject, 0).Acquire(kBase, kArena311);
  trace.Malloc(16, kBase + 48);
  trace.In(Layer::kObject, 7).Acquire(kOther, kArena311);
  trace.Malloc(16, kOther + 48);
  trace.In(Layer::kObject, 0).Malloc(16, kBase + 64).Free(kBase + 48);
  trace.In(Layer::kObject, 7).Malloc(16, kOther + 64);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.states, 2u);
  EXPECT_EQ(report.arenas_acquired, 2u);
}

TEST(VerifyTest, AnInterpreterThatEndsGivesBackItsArenasBlocksAndAll) {
  TraceBuilder trace("ended.trace", "cpython-3.13");
  trace.Acquire(kBase, kArena311).Malloc(16, kBase + 48);
  trace.In(Layer::kObject, 3);
  trace.Acquire(kBase + kArena311, kArena311);
  trace.Malloc(16, kBase + kArena311 + 48);
  trace.Release(kBase + kArena311, kArena311);
  const VerifyReport ended = Verify(trace.Finish(), {});
  EXPECT_EQ(ended.status, VerifyStatus::kEqual) << VerifyText(ended);

  // The main interpreter's stay; so do arenas of one that goes on.
  TraceBuilder main("main.trace", "cpython-3.13");
  main.Acquire(kBase, kArena311).Malloc(16, kBase + 48);
  main.Release(kBase, kArena311);
  EXPECT_EQ(Verify(main.Finish(), {}).status, VerifyStatus::kMismatch);
  TraceBuilder on("goes_on.trace", "cpython-3.13");
  on.In(Layer::kObject, 3).Acquire(kBase, kArena311).Malloc(16, kBase + 48);
  on.Release(kBase, kArena311);
  on.Free(kBase + 48);
  EXPECT_EQ(Verify(on.Finish(), {}).status, VerifyStatus::kMismatch);
}

TEST(VerifyTest, ABlockGivenUpTwiceIsAMismatch) {
  TraceBuilder trace("twice.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48).Malloc(16, kBase + 64);
  trace.Free(kBase + 64).Free(kBase + 64);
  const VerifyReport report = Verify(trace.Finish(), {});
  ASSERT_EQ(report.status, VerifyStatus::kMismatch);
  EXPECT_EQ(report.first->what, MismatchKind::kUnknownBlock);
  EXPECT_EQ(report.first->event, 3u);
}

TEST(VerifyTest, RawBlocksFromBeforeTheRecordingAreCountedOnly) {
  TraceBuilder trace("before.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 48);
  trace.Free(0x5000).Realloc(0x6000, 900, 0x7000);
  const VerifyReport report = Verify(trace.Finish(), {});
  EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
  EXPECT_EQ(report.unknown_objects, 2u);
}

// What cannot be verified, and the word of the reason that tells why.
void ExpectCannot(const std::string& path, const VerifyOptions& options,
                  const std::string& word) {
  const VerifyReport report = Verify(path, options);
  EXPECT_EQ(report.status, VerifyStatus::kCannot) << VerifyText(report);
  EXPECT_NE(report.reason.find(word), std::string::npos) << report.reason;
}

TEST(CannotVerifyTest, WhereAnotherAllocatorWasBeneathTheHooks) {
  TraceBuilder trace("malloc.trace", "cpython-3.8");
  trace.Meta("allocator", "malloc").Malloc(16, 0x5000);
  ExpectCannot(trace.Finish(), {}, "`malloc`");
}

TEST(CannotVerifyTest, WithoutAddresses) {
  TraceBuilder trace("hand.trace", "cpython-3.8");
  trace.Meta("addresses", "none").Malloc(16, 0x5000);
  ExpectCannot(trace.Finish(), {}, "no addresses");
}

TEST(CannotVerifyTest, A32BitInterpreter) {
  TraceBuilder trace("bits.trace", "cpython-3.8");
  trace.Meta("pointer-bits", "32").Malloc(16, 0x5000);
  ExpectCannot(trace.Finish(), {}, "32-bit");
}

TEST(CannotVerifyTest, WithoutAGenerationUnlessOneIsNamed) {
  TraceBuilder trace("unnamed.trace", "");
  trace.Acquire(kBase, kArena38);
  FreeListOrder(trace, kBase);
  const std::string path = trace.Finish();
  ExpectCannot(path, {}, "--geometry");
  EXPECT_EQ(Verify(path, {.geometry = "cpython-3.8", .tampering = {}}).status,
            VerifyStatus::kEqual);
  ExpectCannot(path, {.geometry = "cpython-2.2", .tampering = {}},
               "`cpython-2.2`");
}

TEST(CannotVerifyTest, ALateRecording) {
  TraceBuilder trace("late.trace", "cpython-3.8");
  trace.Malloc(16, kBase + 48).Malloc(16, kBase + 64);
  ExpectCannot(trace.Finish(), {}, "had arenas already");
}

TEST(CannotVerifyTest, NothingServed) {
  TraceBuilder trace("nothing.trace", "cpython-3.8");
  trace.Malloc(1000, 0x5000);
  ExpectCannot(trace.Finish(), {}, "served no request");
}

TEST(CannotVerifyTest, AMismatchInARecordingThatLostEvents) {
  TraceBuilder trace("lost.trace", "cpython-3.8");
  trace.Acquire(kBase, kArena38).Malloc(16, kBase + 64);
  ExpectCannot(trace.Finish(/*lost=*/3), {}, "3 events");
  TraceBuilder hooks("lost_hooks.trace", "cpython-3.8");
  hooks.Meta("lost.hooks", "replaced by another tool");
  hooks.Acquire(kBase, kArena38).Malloc(16, kBase + 64);
  ExpectCannot(hooks.Finish(), {}, "another tool");
}

TEST(VerifyTest, TheWrongGenerationIsAMismatch) {
  const std::string path = FreeListOrderTrace("generation.trace");
  for (const char* wrong :
       {"classic", "cpython-3.10", "cpython-3.15-hugepages", "cpython-2.5"}) {
    EXPECT_EQ(Verify(path, {.geometry = wrong, .tampering = {}}).status,
              VerifyStatus::kMismatch)
        << wrong;
  }
}

TEST(VerifyTest, AFileThatCannotBeReadIsAnInputError) {
  EXPECT_THROW(Verify(testing::TempDir() + "/none.trace", {}), InputError);
}

}  // namespace
}  // namespace arenalab
