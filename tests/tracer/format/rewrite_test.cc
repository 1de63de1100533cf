// Trim, Anonymise and Pack: what stays, what goes, and that the result is
// legal.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/tracer/format/text_fixture.h"
#include "tracer/format/anonymise.h"
#include "tracer/format/lint.h"
#include "tracer/format/pack.h"
#include "tracer/format/trim.h"

namespace arenalab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kText[] =
    "meta program python3 secret.py\n"
    "arena+ 0x10000 4096\n"
    "malloc 0 24 addr=0x5000\n"                       // 0
    "malloc 1 100 domain=raw thread=1 addr=0x6000\n"  // 1
    "realloc 0 200 addr=0x7000 t=1000\n"              // 2
    "malloc 2 8 addr=0x5000\n"                        // 3
    "free 2\n"                                        // 4
    "mark middle\n"
    "arena- 0x10000 4096\n"
    "free 1 thread=1\n"                // 5
    "calloc 1 9 addr=0x5000 t=2000\n"  // 6
    "free 0\n"                         // 7
    "mark last\n";

std::string Trimmed(const std::string& text, std::uint64_t from,
                    std::uint64_t to) {
  const ScratchFile in, out;
  Import(text, in.path());
  TraceReader reader(in.path());
  {
    TraceWriter writer(out.path(), /*exclusive=*/false);
    Trim(reader, from, to, writer);
  }
  TraceReader piece(out.path());
  EXPECT_TRUE(Lint(piece).legal()) << from << " to " << to;
  EXPECT_EQ(piece.Meta("trimmed"), std::to_string(from) + " to " +
                                       std::to_string(to) + " of " +
                                       reader.ContentHash());
  std::string dump = Dumped(out.path());
  while (dump.starts_with("meta ")) dump.erase(0, dump.find('\n') + 1);
  return dump;
}

TEST(TrimTest, WhatIsLiveStandsFirst) {
  EXPECT_EQ(Trimmed(kText, 5, 7),
            "arena+ 0x10000 4096 t=1000\n"
            "malloc 0 200\n"
            "malloc 1 100 domain=raw thread=1\n"
            "mark middle\n"
            "arena- 0x10000 4096\n"
            "free 1 thread=1\n"
            "calloc 1 9 t=2000\n");
}

TEST(TrimTest, TheWholeIsTheWhole) {
  const std::string text = kText;
  EXPECT_EQ(Trimmed(text, 0, 1000), text.substr(text.find('\n') + 1));
}

TEST(TrimTest, EveryPieceIsLegal) {
  for (std::uint64_t from = 0; from < 8; ++from) {
    for (std::uint64_t to = from + 1; to <= 9; ++to) {
      EXPECT_NE(Trimmed(kText, from, to), "");
    }
  }
}

TEST(TrimTest, WhereNothingIsThereIsAnError) {
  EXPECT_THROW(Trimmed(kText, 8, 9), InputError);
  EXPECT_THROW(Trimmed(kText, 3, 3), InputError);
}

TEST(TrimTest, APieceWithoutItsPastCannotBeVerified) {
  for (const std::uint64_t from : {0, 1}) {
    const ScratchFile in, out;
    Import(kText, in.path());
    TraceReader reader(in.path());
    {
      TraceWriter writer(out.path(), /*exclusive=*/false);
      Trim(reader, from, 5, writer);
    }
    EXPECT_EQ(TraceReader(out.path()).Meta("addresses"),
              from == 0 ? "" : "none");
  }
}

TEST(TrimTest, OnlyTheTailOfAnIncompleteTraceIsIncomplete) {
  const std::string text = std::string(kText) + "incomplete\n";
  EXPECT_THAT(Trimmed(text, 0, 5), Not(HasSubstr("incomplete")));
  EXPECT_THAT(Trimmed(text, 5, 1000), HasSubstr("incomplete"));
}

TEST(TrimTest, ForksKeepTheirNumbers) {
  EXPECT_THAT(
      Trimmed("malloc 0 1\nfork 0 a\nfree 0\nfork 1 b\nmalloc 0 1\n", 2, 3),
      HasSubstr("fork 1 b"));
}

std::string Anonymised(const std::string& text) {
  const ScratchFile in, out;
  Import(text, in.path());
  TraceReader reader(in.path());
  {
    TraceWriter writer(out.path(), /*exclusive=*/false);
    Anonymise(reader, writer);
  }
  return Dumped(out.path());
}

TEST(AnonymiseTest, OnlyWhatIsListedStays) {
  EXPECT_EQ(Anonymised("meta python 3.11.2\n"
                       "meta program python3 secret.py\n"
                       "meta process 4711\n"
                       "meta run secret\n"
                       "meta parent secret-4710.trace 3\n"
                       "meta lost.secret because\n"
                       "meta never-thought-of secret\n"
                       "malloc 0 24 addr=0x5000 t=7\n"
                       "mark secret\n"
                       "mark \"other secret\"\n"
                       "mark secret thread=1\n"
                       "fork 0 secret-4712\n"
                       "mark finalise\n"
                       "free 0\n"
                       "end lost=5\n"),
            "meta parent removed 3\n"
            "meta python 3.11.2\n"
            "malloc 0 24 addr=0x5000 t=7\n"
            "mark mark-1\n"
            "mark mark-2\n"
            "mark mark-1 thread=1\n"
            "fork 0 child-0\n"
            "mark finalise\n"
            "free 0\n"
            "end lost=5\n");
}

TEST(AnonymiseTest, TypesOfTheProgramAndCallSitesAreNumbered) {
  EXPECT_EQ(Anonymised("malloc 0 24 addr=0x5000 site=/srv/app.py:1:f\n"
                       "malloc 1 24 addr=0x5020 site=/srv/app.py:2:f\n"
                       "held 0x5020 owner=program type=Secret\n"
                       "free 0 type=dict\n"
                       "free 1 type=Secret\n"),
            "malloc 0 24 addr=0x5000 site=site-1\n"
            "malloc 1 24 addr=0x5020 site=site-2\n"
            "held 0x5020 owner=program type=type-1\n"
            "free 0 type=dict\n"
            "free 1 type=type-1\n");
}

TEST(TrimTest, NamesGoWithTheirEvents) {
  EXPECT_THAT(Trimmed("malloc 0 24 site=a:1:f\n"
                      "malloc 1 24 site=a:2:f\n"
                      "free 0 type=dict\n"
                      "free 1 type=list\n",
                      2, 3),
              AllOf(HasSubstr("site=a:1:f"), HasSubstr("site=a:2:f"),
                    HasSubstr("type=dict"), Not(HasSubstr("type=list"))));
}

TEST(AnonymiseTest, AnIncompleteTraceStaysSo) {
  EXPECT_EQ(Anonymised("malloc 0 1 addr=0x10\nincomplete\n"),
            "malloc 0 1 addr=0x10\nincomplete\n");
}

// Tells every second address right, one wrong, and checks that reader and
// writer tell it the same.
class EverySecond : public AddressPredictor {
 public:
  std::uint64_t Predict(const Event& event) override {
    EXPECT_EQ(event.depth, 0);
    ++asked_;
    return asked_ % 2 == 1 ? 0x5000 : asked_ % 4 == 0 ? 0xbad0 : 0;
  }
  void Observe(const Event& event) override {
    told_.push_back({event, std::string(event.name)});
    told_.back().event.request = 0;  // which a writer counts itself
  }
  static std::vector<KeptEvent>& last() {
    static std::vector<KeptEvent> events;
    return events;
  }
  ~EverySecond() override { last() = told_; }

 private:
  int asked_ = 0;
  std::vector<KeptEvent> told_;
};

std::unique_ptr<AddressPredictor> MakeEverySecond(const std::string& name) {
  if (name != "cpython-3.11") return nullptr;
  return std::make_unique<EverySecond>();
}

// The text with a geometry, packed; what the writer's predictor was told.
std::vector<KeptEvent> Pack(const std::string& in, const std::string& out) {
  TraceReader reader(in);
  {
    Packing packing = PackingOf(reader);
    EXPECT_EQ(packing.packed, "cpython-3.11");
    TraceWriter writer(out, /*exclusive=*/false, std::move(packing.options));
    CopyTrace(reader, packing.packed, writer);
  }
  return EverySecond::last();
}

TEST(PackTest, APackedTraceIsTheSameTrace) {
  SetPredictorFactory(MakeEverySecond);
  const ScratchFile in, packed, unpacked;
  Import("meta geometry cpython-3.11\n" + std::string(kText), in.path());
  const std::vector<KeptEvent> told = Pack(in.path(), packed.path());
  EXPECT_EQ(Dumped(packed.path()), Dumped(in.path()));
  EXPECT_EQ(EverySecond::last(), told) << "the reader's";
  TraceReader reader(packed.path());
  EXPECT_EQ(reader.packed(), "cpython-3.11");
  EXPECT_EQ(reader.Meta("packed", "none"), "none");
  EXPECT_EQ(reader.ContentHash(), TraceReader(in.path()).ContentHash());
  EXPECT_TRUE(reader.complete());
  {
    TraceWriter writer(unpacked.path(), /*exclusive=*/false);
    CopyTrace(reader, "", writer);
  }
  EXPECT_EQ(ReadBytes(unpacked.path()), ReadBytes(in.path()));
  SetPredictorFactory(nullptr);
}

TEST(PackTest, WithoutTheCloneItIsRefused) {
  SetPredictorFactory(MakeEverySecond);
  const ScratchFile in, packed;
  Import("meta geometry cpython-3.11\n" + std::string(kText), in.path());
  Pack(in.path(), packed.path());
  SetPredictorFactory(nullptr);
  try {
    TraceReader reader(packed.path());
    FAIL() << "was read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("is packed by the clone of `cpython-3.11`"));
  }
}

// What a predictor cannot know is left to the file.
TEST(PackTest, HeapsThatTheTraceDoesNotBeginAreNotPredicted) {
  SetPredictorFactory(MakeEverySecond);
  for (const char* meta :
       {"meta geometry cpython-9.9\n",
        "meta geometry cpython-3.11\nmeta parent a.trace 0\n",
        "meta geometry cpython-3.11\nmeta allocator malloc\n"}) {
    const ScratchFile in, packed;
    Import(meta + std::string(kText), in.path());
    TraceReader reader(in.path());
    Packing packing = PackingOf(reader);
    EXPECT_EQ(packing.packed, "") << meta;
    TraceWriter writer(packed.path(), /*exclusive=*/false,
                       std::move(packing.options));
    CopyTrace(reader, packing.packed, writer);
    EXPECT_EQ(Dumped(packed.path()), Dumped(in.path()));
  }
  SetPredictorFactory(nullptr);
}

}  // namespace
}  // namespace arenalab
