// Each rule finds its case and leaves the legal neighbour alone.
#include "tracer/format/lint.h"

#include <string>

#include "tests/tracer/format/text_fixture.h"

namespace arenalab {
namespace {

using ::testing::HasSubstr;

LintReport Linted(const std::string& text) {
  const ScratchFile file;
  Import(text, file.path());
  TraceReader reader(file.path());
  return Lint(reader);
}

// Exactly one finding, of that rule, at that request.
void ExpectOnly(const std::string& text, LintRule rule, std::uint64_t request,
                const std::string& what) {
  const LintReport report = Linted(text);
  EXPECT_FALSE(report.legal()) << text;
  ASSERT_EQ(report.first.size(), 1u) << text;
  EXPECT_EQ(LintRuleName(report.first[0].rule), LintRuleName(rule));
  EXPECT_EQ(report.first[0].request, request);
  EXPECT_THAT(report.first[0].what, HasSubstr(what));
  for (int i = 0; i < kLintRules; ++i) {
    EXPECT_EQ(report.counts[i], i == static_cast<int>(rule) ? 1u : 0u)
        << LintRuleName(static_cast<LintRule>(i));
  }
}

void ExpectLegal(const std::string& text) {
  const LintReport report = Linted(text);
  EXPECT_TRUE(report.legal())
      << text << report.first.empty() << report.first.front().what;
}

// The child's report, given what its parent did.
LintReport LintedChild(const std::string& parent, const std::string& child) {
  const ScratchFile parent_file, child_file;
  Import(parent, parent_file.path());
  Import(child, child_file.path());
  TraceReader of_parent(parent_file.path()), of_child(child_file.path());
  return Lint(of_child, {{&of_parent, 1}});
}

constexpr char kParent[] =
    "arena+ 0x7f0000000000 262144\n"
    "malloc 0 24 addr=0x7f0000000030\n"
    "malloc 1 24 addr=0x7f0000000060\n"
    "fork 0 1\n"
    "free 1\n"
    "fork 1 2\n"
    "free 0\n"
    "malloc 2 24 addr=0x7f0000000090\n";

TEST(LintTest, AForkedChildHasItsParentsBlocks) {
  const char kChild[] =
      "free-unknown 0x7f0000000030 domain=obj\n"
      "free-unknown 0x5000 domain=raw\n"
      "arena- 0x7f0000000000 262144\n";
  EXPECT_FALSE(Linted(kChild).legal());
  const LintReport report = LintedChild(kParent, kChild);
  EXPECT_TRUE(report.legal()) << report.first.front().what;
  EXPECT_EQ(report.requests, 2u);
  EXPECT_EQ(report.live_at_end, 0u);
}

TEST(LintTest, AForkedChildHasNotWhatItsParentFreedOrAskedForLater) {
  for (const char* child : {"free-unknown 0x7f0000000060 domain=obj\n",
                            "free-unknown 0x7f0000000090 domain=obj\n"}) {
    const LintReport report = LintedChild(kParent, child);
    EXPECT_FALSE(report.legal()) << child;
    EXPECT_EQ(report.counts[static_cast<int>(LintRule::kUnknownFree)], 1u);
  }
  // One is still there.
  const LintReport twice =
      LintedChild(kParent, "malloc 0 24 addr=0x7f0000000030\n");
  EXPECT_EQ(twice.counts[static_cast<int>(LintRule::kDoubleAllocation)], 1u);
}

TEST(LintTest, AParentThatEndsBeforeTheForkIsRefused) {
  EXPECT_THROW(LintedChild("fork 0 1\n", "malloc 0 1 addr=0x10\n"), InputError);
}

TEST(LintTest, WithoutItsParentAChildsUnknownFreesAreForeign) {
  const LintReport report =
      Linted("meta lost.parent 4711\nfree-unknown 0x5000 domain=obj\n");
  EXPECT_TRUE(report.legal());
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kForeign)], 1u);
}

TEST(LintTest, InAWindowOnlyBlocksOutsideItsArenasAreFromBefore) {
  const std::string begin =
      "meta window 5 mark warm\n"
      "arena+ 0x7f0000000000 262144\n";
  const LintReport report = Linted(begin +
                                   "free-unknown 0x5000 domain=obj\n"
                                   "free-unknown 0x6000 domain=raw\n"
                                   "arena- 0x9000 16384\n"
                                   "fork 3 1\n");
  EXPECT_TRUE(report.legal());
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kForeign)], 3u);
  EXPECT_THAT(report.first[0].what, HasSubstr("from before the window"));
  ExpectOnly(begin + "free-unknown 0x7f0000000030 domain=obj\n",
             LintRule::kUnknownFree, 0, "not live");
}

TEST(LintTest, AToolAboveGivesItsOwnBlocksUpUnseen) {
  const std::string twice =
      "malloc 0 1 domain=raw addr=0x50\nmalloc 1 2 domain=raw addr=0x50\n";
  EXPECT_TRUE(Linted("meta above tracemalloc\n" + twice).legal());
  EXPECT_FALSE(Linted(twice).legal());
  ExpectOnly(
      "meta above tracemalloc\n"
      "malloc 0 1 addr=0x50\nmalloc 1 2 addr=0x50\n",
      LintRule::kDoubleAllocation, 1, "which is live");
}

TEST(LintTest, TheDebugLayersEarlyBlocksAreFoundTwoWordsLower) {
  const std::string early =
      "malloc 0 56 domain=libc addr=0x5000\n"
      "free-unknown 0x5010 domain=raw\n"
      "malloc 1 8 domain=libc addr=0x5000\n";
  const LintReport report = Linted("meta lost.debug a dozen\n" + early);
  EXPECT_TRUE(report.legal());
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kForeign)], 1u);
  EXPECT_FALSE(Linted(early).legal());
  ExpectOnly("meta lost.debug a dozen\nfree-unknown 0x5018 domain=raw\n",
             LintRule::kUnknownFree, 0, "not live");
}

TEST(LintTest, WhatAProgramDoesIsLegal) {
  const LintReport report = Linted(
      "arena+ 0x7f0000000000 262144\n"
      "malloc 0 24 addr=0x7f0000000030\n"
      "malloc 1 9000 domain=libc depth=1 addr=0x5000\n"
      "malloc 2 9000 addr=0x5000\n"
      "realloc 0 100 addr=0x7f0000001030\n"
      "aligned 3 4096 1 domain=libc addr=0x9000\n"
      "free 0\n"
      "arena- 0x7f0000000000 262144\n"
      "fork 0 1\nfork 1 2\n"
      "free 1 depth=1\n"
      "free 2\n");
  EXPECT_TRUE(report.legal());
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.requests, 8u);
  EXPECT_EQ(report.judged, 6u);
  EXPECT_EQ(report.live_at_end, 1u);
}

TEST(LintTest, DoubleAllocation) {
  ExpectOnly("malloc 0 1 addr=0x50\nmalloc 1 2 thread=4 addr=0x50\n",
             LintRule::kDoubleAllocation, 1,
             "malloc(2) at 0x50 (obj, thread 4), which is live");
}

TEST(LintTest, ReallocAcrossThreadsIsNoDoubleAllocation) {
  const LintReport report = Linted(
      "malloc 0 1 domain=libc addr=0x50\n"
      "malloc 1 2 domain=libc addr=0x50\n"
      "realloc 0 9 addr=0x90 lag=1\n");
  EXPECT_TRUE(report.legal());
  EXPECT_EQ(report.explained, 1u);
}

TEST(LintTest, OnlyTheUnexplainedDoubleAllocationIsTold) {
  ExpectOnly(
      "malloc 0 1 domain=libc addr=0x50\n"
      "malloc 1 2 domain=libc addr=0x50\n"
      "realloc 0 9 addr=0x90 lag=1\n"
      "malloc 2 3 domain=libc addr=0x90\n",
      LintRule::kDoubleAllocation, 3, "malloc(3) at 0x90");
}

TEST(LintTest, AReallocThatBeganTooLateExplainsNothing) {
  ExpectOnly(
      "malloc 0 1 domain=libc addr=0x50\n"
      "malloc 1 2 domain=libc addr=0x50\n"
      "malloc 2 2 domain=libc addr=0x70\n"
      "realloc 1 9 addr=0x90 lag=1\n",
      LintRule::kDoubleAllocation, 1, "which is live");
}

TEST(LintTest, UnknownFree) {
  ExpectOnly("malloc 0 1 addr=0x50\nfree-unknown 0x60\n",
             LintRule::kUnknownFree, 1,
             "free at 0x60 (obj, thread 0): 0x60 is not live");
}

TEST(LintTest, UnknownRealloc) {
  ExpectOnly("realloc 0 1 addr=0x50 old=0x60\n", LintRule::kUnknownRealloc, 0,
             "realloc(1) at 0x50 (obj, thread 0): 0x60 is not live");
}

TEST(LintTest, NestedFree) {
  ExpectOnly("malloc 0 1 domain=raw depth=1 addr=0x50\nfree 0\n",
             LintRule::kNestedFree, 1, "inside another request");
  ExpectOnly(
      "malloc 0 1 domain=libc depth=1 addr=0x50\n"
      "realloc 0 2 addr=0x60\n",
      LintRule::kNestedFree, 1, "inside another request");
}

TEST(LintTest, WhatTheCLibraryServedBeforeTheRecordingIsLegal) {
  const LintReport report = Linted(
      "free-unknown 0x60 domain=libc\n"
      "realloc 0 8 domain=libc addr=0x70 old=0x80\n");
  EXPECT_TRUE(report.legal());
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kForeign)], 2u);
  EXPECT_EQ(report.first.size(), 2u);
  ExpectOnly("free-unknown 0x60 domain=raw\n", LintRule::kUnknownFree, 0,
             "(raw, thread 0)");
}

TEST(LintTest, NullAddress) {
  ExpectOnly("malloc 0 1 addr=0x0\n", LintRule::kNullAddress, 0, "malloc(1)");
}

TEST(LintTest, Misaligned) {
  ExpectOnly("malloc 0 1 addr=0x54\n", LintRule::kMisaligned, 0,
             "not a multiple of 8");
  ExpectOnly("aligned 0 64 1 addr=0x60\n", LintRule::kMisaligned, 0,
             "not a multiple of 64");
  ExpectLegal("aligned 0 4 1 addr=0x64\n");
  ExpectLegal("aligned 0 1048576 1\n");  // the addresses are made up
}

TEST(LintTest, Size) {
  ExpectOnly("malloc 0 281474976710657 addr=0x50\n", LintRule::kSize, 0,
             "malloc(281474976710657)");
  ExpectLegal("malloc 0 281474976710656 addr=0x50\n");
}

TEST(LintTest, Alignment) {
  ExpectOnly("aligned 0 2147483648 8 addr=0x80000000\n", LintRule::kAlignment,
             0, "aligned to 2147483648");
  ExpectLegal("aligned 0 1073741824 8 addr=0x40000000\n");
}

TEST(LintTest, Lag) {
  ExpectOnly("malloc 0 1 addr=0x50\nrealloc 0 1 addr=0x60 lag=2\n",
             LintRule::kLag, 1, "began 2 requests ago");
  ExpectLegal("malloc 0 1 addr=0x50\nrealloc 0 1 addr=0x60 lag=1\n");
}

TEST(LintTest, Arena) {
  ExpectOnly("arena+ 0x1000 4096\narena+ 0x1000 4096\n", LintRule::kArena, 0,
             "held already");
  ExpectOnly("arena- 0x1000 4096\n", LintRule::kArena, 0, "no such arena");
  ExpectOnly("malloc 0 1\narena+ 0x1000 4096\narena- 0x1000 8192\n",
             LintRule::kArena, 1, "no such arena");
  ExpectOnly("arena+ 0x1000 0\n", LintRule::kArena, 0, "empty");
}

TEST(LintTest, ForkOrder) {
  ExpectOnly("fork 0 a\nfork 2 b\n", LintRule::kForkOrder, 0,
             "fork 2, expected 1");
}

TEST(LintTest, Lost) {
  ExpectOnly("malloc 0 1\nend lost=7\n", LintRule::kLost, 1,
             "7 events were not recorded");
}

TEST(LintTest, AnIncompleteTraceIsLegalAndSaidToBe) {
  const LintReport report = Linted("malloc 0 1\nincomplete\n");
  EXPECT_TRUE(report.legal());
  EXPECT_FALSE(report.complete);
}

TEST(LintTest, EveryCaseIsCountedTheFirstTenAreTold) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "free-unknown 0x60\n";
  for (int i = 0; i < 50; ++i) {
    text += "malloc " + std::to_string(i) + " 1 addr=0x70\n";
  }
  const LintReport report = Linted(text);
  EXPECT_EQ(report.first.size(), 20u);
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kUnknownFree)], 50u);
  EXPECT_EQ(report.counts[static_cast<int>(LintRule::kDoubleAllocation)], 49u);
}

}  // namespace
}  // namespace arenalab
