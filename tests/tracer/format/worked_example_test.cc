// TRACE_FORMAT.md's worked example, byte by byte, in both directions. The bytes
// here are typed from the document.
#include <zstd.h>

#include <cstring>
#include <map>
#include <string>

#include "tests/tracer/format/hand_made.h"
#include "tests/tracer/format/trace_fixture.h"

namespace arenalab {
namespace {

// Column by column, before they are compressed.
const std::map<unsigned, std::string>& Columns() {
  static const std::map<unsigned, std::string> columns = {
      {1, Bytes({0x18, 0x06, 0x1b, 0x19, 0x1c, 0x00})},  // head table
      {2, Bytes({0, 1, 2})},                             // heads
      {3, Bytes({2, 2})},                                // births
      {4, Bytes({1, 3})},                                // deaths
      {5, Bytes({0x00, 0x68})},                          // 0xa00, 0xe68
      {6, Bytes({0x0a, 0x0e})},
      {7, Bytes({0x00, 0x00})},
      {8, Bytes({0x00, 0x00})},
      {9, Bytes({0, 0, 0, 0, 0, 0, 0, 0})},  // region 0
  };
  return columns;
}

std::vector<Event> Example() {
  return {Alloc(0x5000, 24, Layer::kLibc),
          Realloc(0x5000, 0x7340, 100, Layer::kLibc),
          Free(0x7340, Layer::kLibc)};
}

std::vector<KeptEvent> Expected() {
  std::vector<KeptEvent> expected;
  for (const Event& event : Example()) expected.push_back({event, ""});
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i].event.request = i;
  }
  return expected;
}

TEST(WorkedExampleTest, BytesOfTheDocumentAreDecoded) {
  const std::string end = Bytes({3, 0, 0, 0, 0, 0, 0, 0}) +
                          Bytes({3, 0, 0, 0, 0, 0, 0, 0}) +
                          std::string(16, '\0');
  const ScratchFile file;
  WriteBytes(file.path(), FileHeader() + HandMadeBlock(1, "python 3.11.2\n") +
                              HandMadeBlock(2, HandMadeEvents(Columns(), 3)) +
                              HandMadeBlock(3, end));
  TraceReader reader(file.path());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.totals().requests, 3u);
  EXPECT_EQ(reader.Meta("python"), "3.11.2");
  EXPECT_EQ(ReadAll(reader), Expected());
}

// The columns of the file's first block, decompressed.
std::map<unsigned, std::string> ColumnsOf(const std::string& file) {
  std::uint32_t block[4];
  std::memcpy(block, file.data() + 16, sizeof block);
  EXPECT_EQ(block[0], 2u);
  EXPECT_EQ(block[1], block[2]);
  const std::string content = file.substr(32, block[1]);
  std::uint16_t count;
  std::memcpy(&count, content.data() + 28, sizeof count);
  std::size_t entry = 32;
  std::size_t stored = entry + 12u * count;
  std::map<unsigned, std::string> columns;
  for (; count > 0; --count, entry += 12) {
    std::uint16_t id_coding[2];
    std::uint32_t raw_stored[2];
    std::memcpy(id_coding, content.data() + entry, sizeof id_coding);
    std::memcpy(raw_stored, content.data() + entry + 4, sizeof raw_stored);
    std::string raw = content.substr(stored, raw_stored[1]);
    if (id_coding[1] == 1) {
      raw.assign(raw_stored[0], '\0');
      EXPECT_EQ(ZSTD_decompress(raw.data(), raw.size(), content.data() + stored,
                                raw_stored[1]),
                raw.size());
    }
    columns[id_coding[0]] = raw;
    stored += raw_stored[1];
  }
  EXPECT_EQ(stored, content.size());
  return columns;
}

TEST(WorkedExampleTest, WriterProducesTheBytesOfTheDocument) {
  const ScratchFile file;
  WriteTrace(file.path(), Example());
  const std::string bytes = ReadBytes(file.path());
  ASSERT_GT(bytes.size(), 32u);
  EXPECT_EQ(bytes.substr(0, 16), FileHeader());
  EXPECT_EQ(ColumnsOf(bytes), Columns());
  // 3 requests, 3 events, nothing lost, no waiting.
  EXPECT_TRUE(bytes.ends_with(EndBlock(3, 3)));
}

// Each kind of birth and death, by hand: a is given up and its block reused,
// the next one lies behind it, and the older of the two dies first.
TEST(WorkedExampleTest, BlocksThatAreReusedAreNotSpelledOut) {
  const ScratchFile file;
  WriteTrace(file.path(), {Alloc(0x5010, 24), Free(0x5010), Alloc(0x5010, 32),
                           Alloc(0x5030, 17), Free(0x5010), Free(0x5030)});
  auto columns = ColumnsOf(ReadBytes(file.path()));
  EXPECT_EQ(columns[3], Bytes({2, 0, 1}));  // explicit, reused, next
  // Births 0, 1, 2: no distance, one on, one on.
  EXPECT_EQ(columns[4], Bytes({1, 3, 3}));
  EXPECT_EQ(columns[5].size(), 1u);
}

// It takes no region: 0 would need one of its own.
TEST(WorkedExampleTest, TheOldAddressOfReallocNullIsEscaped) {
  const ScratchFile file;
  WriteTrace(file.path(), {Realloc(0, 0x7f0000000010, 24)});
  auto columns = ColumnsOf(ReadBytes(file.path()));
  EXPECT_EQ(columns[4], Bytes({0}));
  EXPECT_EQ(columns[8], Bytes({0xf0, 0}));  // the escape is the first
  EXPECT_EQ(columns[9], Little64(0x7f0000000000));
  EXPECT_EQ(columns[10], Bytes({0}));
}

}  // namespace
}  // namespace arenalab
