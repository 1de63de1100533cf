// The ledger: memory with the recorded misalignment, translation, and each way
// in which the two sides' arenas can come apart.
#include "tools/verify/arena_ledger.h"

#include <gtest/gtest.h>

#include <cstring>

namespace arenalab {
namespace {

constexpr std::size_t kArena = std::size_t{1} << 20;
constexpr std::uint64_t kBase = 0x7f1234567000;  // not a multiple of 16 KiB

class ArenaLedgerTest : public testing::Test {
 protected:
  std::byte* Acquire() {
    return static_cast<std::byte*>(source_.acquire(source_.context, kArena));
  }
  void Release(void* base) { source_.release(source_.context, base, kArena); }
  // The differences of one request, by kind.
  std::vector<MismatchKind> After(EventKind kind) {
    ledger_.EndRequest(kind);
    return Taken();
  }
  std::vector<MismatchKind> Before(EventKind kind) {
    ledger_.BeginRequest(kind);
    return Taken();
  }
  std::vector<MismatchKind> Taken() {
    std::vector<MismatchKind> kinds;
    for (const auto& difference : ledger_.TakeDifferences()) {
      kinds.push_back(difference.what);
    }
    return kinds;
  }

  ArenaLedger ledger_{kArena};
  ArenaSource source_ = ledger_.Source();
};

using Kinds = std::vector<MismatchKind>;

TEST_F(ArenaLedgerTest, GivesMemoryWithTheRecordedMisalignment) {
  ledger_.RecordAcquire(kBase);
  std::byte* base = Acquire();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(base) % kArena, kBase % kArena);
  EXPECT_NE(reinterpret_cast<std::uintptr_t>(base), kBase);
  std::memset(base, 0xab, kArena);  // all of it is there
  EXPECT_TRUE(ledger_.quiet());
}

TEST_F(ArenaLedgerTest, TranslatesByArenaAndOffset) {
  ledger_.RecordAcquire(kBase);
  ledger_.RecordAcquire(kBase + 5 * kArena);
  Acquire();
  std::byte* second = Acquire();
  const Place place = ledger_.Translate(second + 0x4030);
  EXPECT_TRUE(place.in_arena);
  EXPECT_EQ(place.address, kBase + 5 * kArena + 0x4030);
  EXPECT_EQ(place.arena, 1u);
  EXPECT_EQ(place.offset, 0x4030u);
  int elsewhere = 0;
  EXPECT_FALSE(ledger_.Translate(&elsewhere).in_arena);
  EXPECT_FALSE(ledger_.Translate(nullptr).in_arena);
}

TEST_F(ArenaLedgerTest, KnowsWhichRecordedAddressesAreInArenas) {
  ledger_.RecordAcquire(kBase);
  Place place;
  EXPECT_FALSE(ledger_.InRecordedArena(kBase - 1, &place));
  EXPECT_TRUE(ledger_.InRecordedArena(kBase, &place));
  EXPECT_TRUE(ledger_.InRecordedArena(kBase + kArena - 1, &place));
  EXPECT_EQ(place.offset, kArena - 1);
  EXPECT_FALSE(ledger_.InRecordedArena(kBase + kArena, &place));
  ledger_.RecordRelease(kBase);
  EXPECT_FALSE(ledger_.InRecordedArena(kBase, &place));
}

TEST_F(ArenaLedgerTest, AReusedSlotIsZeroAgain) {
  ledger_.RecordAcquire(kBase);
  std::byte* first = Acquire();
  std::memset(first, 0xff, kArena);
  Release(first);
  ledger_.RecordRelease(kBase);
  ledger_.RecordAcquire(kBase + 4096);
  std::byte* second = Acquire();
  for (std::size_t i = 0; i < kArena; i += 512) {
    ASSERT_EQ(second[i], std::byte{0});
  }
  EXPECT_EQ(ledger_.Translate(second).address, kBase + 4096);
  EXPECT_TRUE(ledger_.quiet());
}

TEST_F(ArenaLedgerTest, AFailedAcquisitionFailsForTheCloneToo) {
  ledger_.RecordAcquire(0);
  EXPECT_EQ(Acquire(), nullptr);
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{});
  EXPECT_EQ(ledger_.acquired(), 0u);
}

TEST_F(ArenaLedgerTest, AnAcquisitionThatTheCloneDoesNotWantIsADifference) {
  ledger_.RecordAcquire(kBase);
  EXPECT_EQ(After(EventKind::kAlloc),
            Kinds{MismatchKind::kArenaOnlyInterpreter});
  // It is told once; that the clone wants it later is another one.
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{});
  EXPECT_NE(Acquire(), nullptr);
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{MismatchKind::kArenaOnlyClone});
}

TEST_F(ArenaLedgerTest, AnAcquisitionOfTheClonesOnlyIsADifference) {
  ledger_.RecordAcquire(kBase);
  Acquire();
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{});
  std::byte* extra = Acquire();
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{MismatchKind::kArenaOnlyClone});
  EXPECT_TRUE(ledger_.Translate(extra).in_arena);
  EXPECT_EQ(ledger_.Translate(extra).address, 0u);
  EXPECT_FALSE(ledger_.late());
}

TEST_F(ArenaLedgerTest, ARecordingWithoutTheFirstArenaIsLate) {
  Acquire();
  EXPECT_TRUE(ledger_.late());
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{});
}

TEST_F(ArenaLedgerTest, ArenasOfAnotherSizeAreNoLateRecording) {
  ledger_.RecordOtherSize();
  Acquire();
  EXPECT_FALSE(ledger_.late());
  EXPECT_EQ(After(EventKind::kAlloc), Kinds{MismatchKind::kArenaOnlyClone});
}

class ArenaReleaseTest : public ArenaLedgerTest {
 protected:
  ArenaReleaseTest() {
    for (int i = 0; i < 2; ++i) {
      ledger_.RecordAcquire(kBase + i * kArena);
      base_[i] = Acquire();
    }
  }
  std::byte* base_[2];
};

TEST_F(ArenaReleaseTest, OfAFreeIsRecordedAfterIt) {
  Release(base_[0]);
  EXPECT_EQ(After(EventKind::kFree), Kinds{});
  ledger_.RecordRelease(kBase);
  EXPECT_EQ(Before(EventKind::kAlloc), Kinds{});
  EXPECT_TRUE(ledger_.quiet());
}

TEST_F(ArenaReleaseTest, OfAReallocIsRecordedBeforeIt) {
  ledger_.RecordRelease(kBase);
  EXPECT_EQ(Before(EventKind::kRealloc), Kinds{});
  Release(base_[0]);
  EXPECT_EQ(After(EventKind::kRealloc), Kinds{});
  EXPECT_TRUE(ledger_.quiet());
}

TEST_F(ArenaReleaseTest, OfTheCloneOnlyIsADifferenceAtTheNextRequest) {
  Release(base_[0]);
  EXPECT_EQ(After(EventKind::kFree), Kinds{});
  EXPECT_EQ(Before(EventKind::kFree), Kinds{MismatchKind::kReleaseOnlyClone});
}

TEST_F(ArenaReleaseTest, OfTheCloneInAReallocIsADifferenceAtOnce) {
  Release(base_[0]);
  EXPECT_EQ(After(EventKind::kRealloc), Kinds{MismatchKind::kReleaseOnlyClone});
}

TEST_F(ArenaReleaseTest, OfTheInterpreterOnlyIsADifference) {
  ledger_.RecordRelease(kBase);
  EXPECT_EQ(Before(EventKind::kFree),
            Kinds{MismatchKind::kReleaseOnlyInterpreter});
  ledger_.RecordRelease(kBase + kArena);
  EXPECT_EQ(Before(EventKind::kRealloc), Kinds{});
  EXPECT_EQ(After(EventKind::kRealloc),
            Kinds{MismatchKind::kReleaseOnlyInterpreter});
}

TEST_F(ArenaReleaseTest, OfAnotherArenaIsADifference) {
  Release(base_[0]);
  ledger_.RecordRelease(kBase + kArena);
  EXPECT_EQ(Before(EventKind::kAlloc), Kinds{MismatchKind::kReleaseOther});
}

}  // namespace
}  // namespace arenalab
