// Blocks whose checksums are right and whose content is not: every rule of
// TRACE_FORMAT.md that a reader can see broken, with its neighbour that is
// just right.
#include <string>

#include "tests/tracer/format/hand_made.h"
#include "tests/tracer/format/trace_fixture.h"

namespace arenalab {
namespace {

using ::testing::HasSubstr;

// The message with which the file is rejected, or "".
std::string Rejected(const std::string& blocks) {
  const ScratchFile file;
  WriteBytes(file.path(), FileHeader() + blocks);
  try {
    ReadAll(file.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// One EVENTS block: each head stands in the table and is used once.
struct Columns {
  std::string heads, births, deaths, words, wide, regions;
  std::uint64_t first_request = 0, time_ns = 0;
  std::uint32_t more_heads = 0;  // than there are
  unsigned class_shift = 4, window_log2 = 16;
  std::map<unsigned, std::string> others = {};  // as they are

  std::string Raw() const {
    std::map<unsigned, std::string> columns = others;
    columns[1] = heads;
    for (std::size_t i = 0; i < heads.size() / 2; ++i) {
      columns[2] += static_cast<char>(i);
    }
    columns[3] = births;
    columns[4] = deaths;
    for (std::size_t i = 0; i < words.size(); ++i) {
      columns[5 + static_cast<unsigned>(i % 4)] += words[i];
    }
    columns[9] = regions;
    columns[10] = wide;
    return HandMadeEvents(
        columns, static_cast<std::uint32_t>(heads.size() / 2) + more_heads,
        first_request, time_ns, class_shift, window_log2);
  }
  std::string Block() const { return HandMadeBlock(2, Raw()); }
};

std::string Head(unsigned kind, unsigned layer, unsigned size,
                 bool extras = false) {
  return Little16(kind | layer << 3 | (extras ? 32 : 0) | size << 6);
}

const std::string kRegion = Little64(0);
const std::string kAddress = Little32(2);  // 0x10
const std::string kEscaped = Little32(15u << 28);
const std::string kNew = Bytes({2});    // births: an explicit one
const std::string kThere = Bytes({0});  // deaths: an explicit one
const std::string kAlloc = Head(0, 2, 8);

void ExpectGood(const Columns& columns) {
  EXPECT_EQ(Rejected(columns.Block()), "");
}
void ExpectBad(const Columns& columns, const std::string& message) {
  const std::string error = Rejected(columns.Block());
  EXPECT_THAT(error, HasSubstr(": block at byte 16: "));
  EXPECT_THAT(error, HasSubstr(message));
}

TEST(MalformedTest, Requests) {
  ExpectGood({kAlloc, kNew, "", kAddress, "", kRegion});
  ExpectBad({kAlloc, "", "", kAddress, "", kRegion}, "column 3 ends early");
  ExpectBad({kAlloc, kNew, "", "", "", kRegion}, "column 5 ends early");
  ExpectBad({kAlloc, kNew, "", "abc", "", kRegion}, "column 8 ends early");
  ExpectBad({kAlloc, kNew, "", kAddress, "", ""},
            "a region that the block lacks");
  ExpectBad({kAlloc, kNew, "", Little32(1u << 28), "", kRegion},
            "a region that the block lacks");
  ExpectBad({kAlloc, kNew + kNew, "", kAddress, "", kRegion}, "hold more");
  ExpectBad({kAlloc, kNew, kThere, kAddress, "", kRegion}, "hold more");
  for (const char* more : {"a", "ab", "abc", "abcd"}) {
    ExpectBad({kAlloc, kNew, "", kAddress + more, "", kRegion}, "hold more");
  }
  ExpectBad({kAlloc, kNew, "", kAddress, "x", kRegion}, "hold more");
  ExpectBad({Head(4, 2, 8), "", kThere, kAddress, "", kRegion},
            "a free with a size");
  ExpectGood({Head(2, 2, 8), kNew, "", kAddress, Bytes({63}), kRegion});
  ExpectBad({Head(2, 2, 8), kNew, "", kAddress, Bytes({64}), kRegion},
            "over 2^63");
  ExpectBad({Head(2, 2, 8), kNew, "", kAddress, "", kRegion},
            "column 10 ends early");
  ExpectGood({Head(3, 2, 8), kNew, kThere, kAddress + kAddress, "", kRegion});
  ExpectBad({Head(3, 2, 8), kNew, "", kAddress, "", kRegion},
            "column 4 ends early");
  ExpectBad({Head(3, 2, 8), "", kThere, kAddress, "", kRegion},
            "column 3 ends early");
}

TEST(MalformedTest, Heads) {
  const auto with_heads = [](const std::string& heads) {
    return HandMadeBlock(2, HandMadeEvents({{2, heads}, {10, Bytes({0})}}, 1));
  };
  // A mark, in full.
  EXPECT_EQ(Rejected(with_heads(Bytes({0xff, 0x07, 0x00}))), "");
  EXPECT_THAT(Rejected(with_heads(Bytes({0xff, 0x07}))),
              HasSubstr("column 2 ends early"));
  EXPECT_THAT(Rejected(with_heads(Bytes({0}))),
              HasSubstr("a head that the block's table lacks"));
}

TEST(MalformedTest, Births) {
  // The last one handed out was at 0x10, of 16 bytes a block.
  ExpectGood({kAlloc + kAlloc, kNew + Bytes({1}), "", kAddress, "", kRegion});
  ExpectBad({kAlloc, Bytes({0}), "", "", "", ""}, "was never given up");
  ExpectBad({kAlloc, Bytes({3}), "", "", "", ""}, "the clone cannot tell");
  ExpectBad({kAlloc, Bytes({4}), "", "", "", ""}, "unknown kind of birth");
  // Given up once, reused once, and no more.
  const std::string free = Head(4, 2, 0);
  ExpectGood({kAlloc + free + kAlloc, kNew + Bytes({0}), Bytes({1}), kAddress,
              "", kRegion});
  ExpectBad({kAlloc + free + kAlloc + kAlloc, kNew + Bytes({0, 0}), Bytes({1}),
             kAddress, "", kRegion},
            "was never given up");
}

TEST(MalformedTest, Deaths) {
  const std::string free = Head(4, 2, 0);
  ExpectGood({kAlloc + free, kNew, Bytes({1}), kAddress, "", kRegion});
  ExpectBad({kAlloc + free, kNew, Bytes({2}), kAddress, "", kRegion},
            "that the window lacks");
  ExpectBad({kAlloc + free, kNew, Bytes({3}), kAddress, "", kRegion},
            "that the window lacks");
  ExpectBad({free, "", Bytes({1}), "", "", ""}, "that the window lacks");
  // 8 to 33 bits; the rest has columns of its own.
  for (const int byte : {192, 199, 192 + 34, 255}) {
    ExpectBad({free, "", Bytes({byte}), "", "", ""},
              "an unknown kind of death");
  }
  ExpectBad({free, "", Bytes({200}), "", "", ""}, "column 11 ends early");
  Columns wide{free, "", Bytes({200}), "", "", ""};
  wide.others[11] = Bytes({1});
  ExpectBad(wide, "that the window lacks");
  wide.deaths = Bytes({225});
  for (const unsigned id : {11u, 12u, 13u, 14u}) wide.others[id] = Bytes({255});
  ExpectBad(wide, "that the window lacks");
  wide.others.erase(14);
  ExpectBad(wide, "column 14 ends early");
  wide = {kAlloc + free, kNew, Bytes({1}), kAddress, "", kRegion};
  wide.others[11] = Bytes({1});
  ExpectBad(wide, "hold more");
}

TEST(MalformedTest, WindowAndAlignment) {
  Columns columns{kAlloc, kNew, "", kAddress, "", kRegion};
  for (const unsigned shift : {2u, 5u}) {
    columns.class_shift = shift;
    ExpectBad(columns, "an alignment that no pymalloc has");
  }
  columns.class_shift = 3;
  ExpectGood(columns);
  for (const unsigned log2 : {9u, 25u}) {
    columns.window_log2 = log2;
    ExpectBad(columns, "a window longer or shorter");
  }
  columns.window_log2 = 10;
  Columns second = columns;
  second.first_request = 1;
  EXPECT_EQ(Rejected(columns.Block() + second.Block()), "");
  second.window_log2 = 11;
  EXPECT_THAT(Rejected(columns.Block() + second.Block()),
              HasSubstr("another window than the blocks before it"));
}

// A window of 1,024 births: the first dies as the 1,024th or not at all.
TEST(MalformedTest, TheWindowsEnd) {
  for (const int births : {1024, 1025}) {
    const auto count = static_cast<std::size_t>(births);
    const std::map<unsigned, std::string> raw = {
        {1, kAlloc + Head(4, 2, 0)},
        {2, std::string(count, '\0') + Bytes({1})},
        {3, kNew + std::string(count - 1, '\1')},
        {4, Bytes({1})},
        {5, Bytes({2})},
        {6, Bytes({0})},
        {7, Bytes({0})},
        {8, Bytes({0})},
        {9, kRegion}};
    const std::string error = Rejected(HandMadeBlock(
        2, HandMadeEvents(raw, static_cast<std::uint32_t>(births) + 1, 0, 0, 4,
                          10)));
    if (births == 1024) {
      EXPECT_EQ(error, "");
    } else {
      EXPECT_THAT(error, HasSubstr("that the window lacks"));
    }
  }
}

TEST(MalformedTest, Numbers) {
  const std::string size = Head(0, 2, 1023);
  const std::string nine(9, '\xff');
  ExpectGood({size, kNew, "", kAddress, nine + Bytes({1}), kRegion});
  ExpectBad({size, kNew, "", kAddress, nine + Bytes({2}), kRegion},
            "over 64 bits");
  ExpectBad({size, kNew, "", kAddress, nine, kRegion}, "cut short");
  ExpectBad({size, kNew, "", kAddress, "", kRegion}, "cut short");
}

TEST(MalformedTest, Escapes) {
  ExpectGood({kAlloc, kNew, "", kEscaped, Bytes({5}), ""});
  ExpectBad({kAlloc, kNew, "", kEscaped, "", ""}, "cut short");
  ExpectBad({kAlloc, kNew, "", Little32((15u << 28) + 1), Bytes({5}), ""},
            "a region that the block lacks");
}

TEST(MalformedTest, Extras) {
  const std::string head = Head(0, 2, 8, true);
  ExpectGood({head, kNew, "", kAddress, Bytes({1, 0xff, 1}), kRegion});
  ExpectBad({head, kNew, "", kAddress, Bytes({1, 0x80, 2}), kRegion},
            "depth over 255");
  ExpectBad({head, kNew, "", kAddress, Bytes({4}), kRegion}, "unknown extras");
  ExpectBad({head, kNew, "", kAddress, Bytes({2, 1}), kRegion},
            "what is no realloc");
  ExpectGood({Head(3, 2, 8, true), kNew, kThere, kAddress + kAddress,
              Bytes({2, 1}), kRegion});
  ExpectBad({head, kNew, "", kAddress, "", kRegion}, "column 10 ends early");
}

TEST(MalformedTest, EventsThatAreNoRequests) {
  ExpectGood({Head(5, 1, 0), "", "", kAddress, Bytes({1}), kRegion});
  ExpectBad({Head(5, 3, 0), "", "", kAddress, Bytes({1}), kRegion},
            "unknown arena event");
  ExpectGood({Head(5, 2, 0), "", "", kAddress, Bytes({0, 3, 0}), kRegion});
  ExpectBad({Head(5, 2, 0), "", "", kAddress, Bytes({0, 4, 0}), kRegion},
            "an unknown owner");
  ExpectBad({Head(5, 0, 1), "", "", kAddress, Bytes({1}), kRegion},
            "mean nothing");
  ExpectBad({Head(6, 0, 0, true), "", "", "", Bytes({1}), ""}, "mean nothing");
  ExpectGood(
      {Head(6, 0, 0), "", "", "", Bytes({0xff, 0xff, 0xff, 0xff, 0x0f}), ""});
  ExpectBad(
      {Head(6, 1, 0), "", "", "", Bytes({0xff, 0xff, 0xff, 0xff, 0x1f}), ""},
      "over 32 bits");
  ExpectGood({Head(7, 0, 0), "", "", "", Bytes({1, 'x'}), ""});
  ExpectBad({Head(7, 0, 0), "", "", "", Bytes({2, 'x'}), ""}, "a name longer");
  ExpectBad({Head(7, 2, 0), "", "", "", Bytes({1, 'x'}), ""}, "unknown note");
}

TEST(MalformedTest, TimeNeitherGoesBackNorOver) {
  const std::string all = std::string(9, '\xff') + Bytes({1});
  ExpectGood({Head(6, 2, 0), "", "", "", all, ""});
  ExpectBad({Head(6, 2, 0) + Head(6, 2, 0), "", "", "", all + Bytes({1}), ""},
            "a time over 64 bits");
  Columns first{Head(7, 0, 0), "", "", "", Bytes({0}), ""};
  Columns second = first;
  first.time_ns = 10;
  second.time_ns = 9;
  EXPECT_THAT(Rejected(first.Block() + second.Block()),
              HasSubstr("time goes back"));
  second.time_ns = 10;
  EXPECT_EQ(Rejected(first.Block() + second.Block()), "");
}

TEST(MalformedTest, LengthsOfColumns) {
  const Columns good{kAlloc, kNew, "", kAddress, "", kRegion};
  Columns columns = good;
  columns.more_heads = 1;
  ExpectBad(columns, "column 2 ends early");
  columns.more_heads = 65536;
  ExpectBad(columns, "more heads or columns than the format allows");
  columns = {};
  columns.regions = std::string(8 * 15, '\0');
  ExpectGood(columns);
  columns.regions += std::string(8, '\0');
  ExpectBad(columns, "a table longer than the format allows");
  columns.regions = "1234567";
  ExpectBad(columns, "a table longer than the format allows");
  EXPECT_THAT(Rejected(HandMadeBlock(2, "")), HasSubstr("columns' header"));
  columns = {};
  columns.first_request = 1;
  ExpectBad(columns, "begins with request 1, but 0 requests stand before it");
  EXPECT_THAT(Rejected(HandMadeBlock(2, good.Raw() + "x")),
              HasSubstr("do not add up"));
  EXPECT_THAT(Rejected(HandMadeBlock(2, good.Raw().substr(0, 40))),
              HasSubstr("no room for the columns' entries"));
  const std::string raw = good.Raw();
  EXPECT_THAT(Rejected(HandMadeBlock(2, raw.substr(0, raw.size() - 1))),
              HasSubstr("columns longer than the block"));
}

TEST(MalformedTest, ColumnsThatAReaderDoesNotKnow) {
  Columns columns{kAlloc, kNew, "", kAddress, "", kRegion};
  columns.others[0x9000] = "passed over";
  ExpectGood(columns);
  columns.others = {{0x7fff, "of a later version"}};
  ExpectBad(columns, "an unknown column 32767");
}

TEST(MalformedTest, NamesAndTheirNumbers) {
  Columns columns{kAlloc, kNew, "", kAddress, "", kRegion};
  const std::string list = Bytes({0, 4}) + "list";
  columns.others = {{0x8000, list}, {0x8002, Bytes({1})}};
  ExpectGood(columns);
  columns.others[0x8002] = Bytes({2});
  ExpectBad(columns, "a type or call site without a name");
  columns.others = {{0x8000, list}, {0x8003, Bytes({1})}};
  ExpectBad(columns, "a type or call site without a name");
  columns.others = {{0x8000, Bytes({2, 0})}};
  ExpectBad(columns, "a name of an unknown kind");
  columns.others = {{0x8000, Bytes({0, 5}) + "list"}};
  ExpectBad(columns, "a name longer than its column");
  columns.others = {{0x8003, Bytes({0, 0})}};
  ExpectBad(columns, "the columns hold more than the events take");
  columns.others = {{0x8001, Bytes({0})}};
  ExpectBad(columns, "the columns hold more than the events take");
}

// One entry, of the head table: its id, coding and lengths.
std::string OneColumn(unsigned id, unsigned coding, std::uint32_t raw_bytes,
                      const std::string& stored) {
  std::string raw = HandMadeEvents({{1, stored}}, 0);
  const std::string entry = Little16(id) + Little16(coding) +
                            Little32(raw_bytes) +
                            Little32(static_cast<std::uint32_t>(stored.size()));
  return Rejected(HandMadeBlock(2, raw.replace(32, entry.size(), entry)));
}

TEST(MalformedTest, CodingsOfColumns) {
  EXPECT_EQ(OneColumn(1, 0, 2, "ab"), "");
  EXPECT_THAT(OneColumn(0, 0, 2, "ab"), HasSubstr("columns out of order"));
  EXPECT_THAT(OneColumn(1, 2, 2, "ab"), HasSubstr("unknown coding"));
  EXPECT_THAT(OneColumn(1, 0, 3, "ab"), HasSubstr("not as long as it says"));
  EXPECT_THAT(OneColumn(1, 1, 2, "ab"), HasSubstr("cannot be decompressed"));
  EXPECT_THAT(OneColumn(1, 1, (8u << 20) + 1, "ab"),
              HasSubstr("columns longer than the format allows"));
}

TEST(MalformedTest, Metadata) {
  EXPECT_EQ(Rejected(HandMadeBlock(1, "key value\nempty \n")), "");
  for (const char* text :
       {"key value", "key\n", " value\n", "\n", "a\tb c\n"}) {
    EXPECT_THAT(Rejected(HandMadeBlock(1, text)), HasSubstr("KEY VALUE"))
        << text;
  }
}

TEST(MalformedTest, Frames) {
  EXPECT_THAT(Rejected(HandMadeBlock(6, "")), HasSubstr("unknown type 6"));
  EXPECT_THAT(Rejected(HandMadeBlock(0, "")), HasSubstr("unknown type 0"));
  EXPECT_THAT(Rejected(HandMadeBlock(1, "a b\n", 3)),
              HasSubstr("impossible length"));
  EXPECT_THAT(Rejected(HandMadeBlock(1, "a b\n", (8u << 20) + 1)),
              HasSubstr("impossible length"));
  EXPECT_THAT(Rejected(HandMadeBlock(1, "a b\n", 5)),
              HasSubstr("cannot be decompressed"));
  EXPECT_THAT(Rejected(HandMadeBlock(3, "short")),
              HasSubstr("impossible length"));
}

TEST(MalformedTest, AnEndThatCountsOtherwise) {
  const std::string block =
      Columns{kAlloc, kNew, "", kAddress, "", kRegion}.Block();
  EXPECT_EQ(Rejected(block + EndBlock(1, 1)), "");
  EXPECT_THAT(Rejected(block + EndBlock(1, 2)), HasSubstr("its end says 2"));
  EXPECT_THAT(Rejected(block + EndBlock(2, 1)), HasSubstr("its end says"));
  EXPECT_THAT(Rejected(EndBlock(0, 0) + EndBlock(0, 0)),
              HasSubstr("but the file goes on"));
}

}  // namespace
}  // namespace arenalab
