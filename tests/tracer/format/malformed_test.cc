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

// One EVENTS block.
struct Columns {
  std::string heads, addresses, wide, regions;
  std::uint64_t first_request = 0, time_ns = 0;
  std::uint32_t more_heads = 0;  // than there are

  std::string Raw() const {
    return Little64(first_request) + Little64(time_ns) + Little64(0) +
           Little32(static_cast<std::uint32_t>(heads.size() / 2) + more_heads) +
           Little32(static_cast<std::uint32_t>(addresses.size() / 4)) +
           Little32(static_cast<std::uint32_t>(wide.size())) +
           Little32(static_cast<std::uint32_t>(regions.size() / 8)) + regions +
           heads + addresses + wide;
  }
  std::string Block() const { return HandMadeBlock(2, Raw()); }
};

std::string Head(unsigned kind, unsigned layer, unsigned size,
                 bool extras = false) {
  const unsigned head = kind | layer << 3 | (extras ? 32 : 0) | size << 6;
  return Bytes({static_cast<int>(head & 255), static_cast<int>(head >> 8)});
}

const std::string kRegion = Little64(0);
const std::string kAddress = Little32(2);  // 0x10
const std::string kEscaped = Little32(15u << 28);

void ExpectGood(const Columns& columns) {
  EXPECT_EQ(Rejected(columns.Block()), "");
}
void ExpectBad(const Columns& columns, const std::string& message) {
  const std::string error = Rejected(columns.Block());
  EXPECT_THAT(error, HasSubstr(": block at byte 16: "));
  EXPECT_THAT(error, HasSubstr(message));
}

TEST(MalformedTest, Requests) {
  ExpectGood({Head(0, 2, 8), kAddress, "", kRegion});
  ExpectBad({Head(0, 2, 8), "", "", kRegion}, "address column ends early");
  ExpectBad({Head(0, 2, 8), kAddress, "", ""}, "a region that the block lacks");
  ExpectBad({Head(0, 2, 8), Little32(1u << 28), "", kRegion},
            "a region that the block lacks");
  ExpectBad({Head(0, 2, 8), kAddress + kAddress, "", kRegion}, "hold more");
  ExpectBad({Head(0, 2, 8), kAddress, "x", kRegion}, "hold more");
  ExpectBad({Head(4, 2, 8), kAddress, "", kRegion}, "a free with a size");
  ExpectGood({Head(2, 2, 8), kAddress, Bytes({63}), kRegion});
  ExpectBad({Head(2, 2, 8), kAddress, Bytes({64}), kRegion}, "over 2^63");
  ExpectBad({Head(2, 2, 8), kAddress, "", kRegion}, "wide column ends early");
  ExpectGood({Head(3, 2, 8), kAddress + kAddress, "", kRegion});
  ExpectBad({Head(3, 2, 8), kAddress, "", kRegion}, "column ends early");
}

TEST(MalformedTest, Numbers) {
  const std::string size = Head(0, 2, 1023);
  const std::string nine(9, '\xff');
  ExpectGood({size, kAddress, nine + Bytes({1}), kRegion});
  ExpectBad({size, kAddress, nine + Bytes({2}), kRegion}, "over 64 bits");
  ExpectBad({size, kAddress, nine, kRegion}, "cut short");
  ExpectBad({size, kAddress, "", kRegion}, "cut short");
}

TEST(MalformedTest, Escapes) {
  ExpectGood({Head(0, 2, 8), kEscaped, Bytes({5}), ""});
  ExpectBad({Head(0, 2, 8), kEscaped, "", ""}, "cut short");
  ExpectBad({Head(0, 2, 8), Little32((15u << 28) + 1), Bytes({5}), ""},
            "a region that the block lacks");
}

TEST(MalformedTest, Extras) {
  const std::string head = Head(0, 2, 8, true);
  ExpectGood({head, kAddress, Bytes({1, 0xff, 1}), kRegion});
  ExpectBad({head, kAddress, Bytes({1, 0x80, 2}), kRegion}, "depth over 255");
  ExpectBad({head, kAddress, Bytes({4}), kRegion}, "unknown extras");
  ExpectBad({head, kAddress, Bytes({2, 1}), kRegion}, "what is no realloc");
  ExpectGood(
      {Head(3, 2, 8, true), kAddress + kAddress, Bytes({2, 1}), kRegion});
  ExpectBad({head, kAddress, "", kRegion}, "wide column ends early");
}

TEST(MalformedTest, EventsThatAreNoRequests) {
  ExpectGood({Head(5, 1, 0), kAddress, Bytes({1}), kRegion});
  ExpectBad({Head(5, 2, 0), kAddress, Bytes({1}), kRegion},
            "unknown arena event");
  ExpectBad({Head(5, 0, 1), kAddress, Bytes({1}), kRegion}, "mean nothing");
  ExpectBad({Head(6, 0, 0, true), "", Bytes({1}), ""}, "mean nothing");
  ExpectGood({Head(6, 0, 0), "", Bytes({0xff, 0xff, 0xff, 0xff, 0x0f}), ""});
  ExpectBad({Head(6, 1, 0), "", Bytes({0xff, 0xff, 0xff, 0xff, 0x1f}), ""},
            "over 32 bits");
  ExpectGood({Head(7, 0, 0), "", Bytes({1, 'x'}), ""});
  ExpectBad({Head(7, 0, 0), "", Bytes({2, 'x'}), ""}, "a name longer");
  ExpectBad({Head(7, 2, 0), "", Bytes({1, 'x'}), ""}, "unknown note");
}

TEST(MalformedTest, TimeNeitherGoesBackNorOver) {
  const std::string all = std::string(9, '\xff') + Bytes({1});
  ExpectGood({Head(6, 2, 0), "", all, ""});
  ExpectBad({Head(6, 2, 0) + Head(6, 2, 0), "", all + Bytes({1}), ""},
            "a time over 64 bits");
  Columns first{Head(7, 0, 0), "", Bytes({0}), ""};
  Columns second = first;
  first.time_ns = 10;
  second.time_ns = 9;
  EXPECT_THAT(Rejected(first.Block() + second.Block()),
              HasSubstr("time goes back"));
  second.time_ns = 10;
  EXPECT_EQ(Rejected(first.Block() + second.Block()), "");
}

TEST(MalformedTest, LengthsOfColumns) {
  Columns columns{Head(0, 2, 8), kAddress, "", kRegion};
  columns.more_heads = 1;
  ExpectBad(columns, "do not add up");
  columns.more_heads = 65536;
  ExpectBad(columns, "longer than the format allows");
  columns = {"", "", "", std::string(8 * 15, '\0')};
  ExpectGood(columns);
  columns.regions += std::string(8, '\0');
  ExpectBad(columns, "longer than the format allows");
  EXPECT_THAT(Rejected(HandMadeBlock(2, "")), HasSubstr("columns' header"));
  columns = {};
  columns.first_request = 1;
  ExpectBad(columns, "begins with request 1, but 0 requests stand before it");
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
      Columns{Head(0, 2, 8), kAddress, "", kRegion}.Block();
  EXPECT_EQ(Rejected(block + EndBlock(1, 1)), "");
  EXPECT_THAT(Rejected(block + EndBlock(1, 2)), HasSubstr("its end says 2"));
  EXPECT_THAT(Rejected(block + EndBlock(2, 1)), HasSubstr("its end says"));
  EXPECT_THAT(Rejected(EndBlock(0, 0) + EndBlock(0, 0)),
              HasSubstr("but the file goes on"));
}

}  // namespace
}  // namespace arenalab
