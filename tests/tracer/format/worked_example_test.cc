// TRACE_FORMAT.md's worked example, byte by byte, in both directions. The bytes
// here are typed from the document.
#include <zstd.h>

#include <cstring>
#include <string>

#include "tests/tracer/format/hand_made.h"
#include "tests/tracer/format/trace_fixture.h"

namespace arenalab {
namespace {

const std::string& Columns() {
  static const std::string bytes =
      Bytes({0, 0, 0, 0, 0, 0, 0, 0}) +  // first_request
      Bytes({0, 0, 0, 0, 0, 0, 0, 0}) +  // time_ns
      Bytes({0, 0, 0, 0, 0, 0, 0, 0}) +  // thread, state
      Bytes({3, 0, 0, 0, 4, 0, 0, 0}) +  // heads, addresses
      Bytes({0, 0, 0, 0, 1, 0, 0, 0}) +  // wide_bytes, regions
      Bytes({0, 0, 0, 0, 0, 0, 0, 0}) +  // region_base
      Bytes({0x18, 0x06}) +              // malloc(24)
      Bytes({0x1b, 0x19}) +              // realloc(100)
      Bytes({0x1c, 0x00}) +              // free
      Bytes({0x00, 0x0a, 0x00, 0x00}) +  // 0x5000
      Bytes({0x00, 0x0a, 0x00, 0x00}) +  // 0x5000, old
      Bytes({0x68, 0x0e, 0x00, 0x00}) +  // 0x7340
      Bytes({0x68, 0x0e, 0x00, 0x00});   // 0x7340
  return bytes;
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
                              HandMadeBlock(2, Columns()) +
                              HandMadeBlock(3, end));
  TraceReader reader(file.path());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.totals().requests, 3u);
  EXPECT_EQ(reader.Meta("python"), "3.11.2");
  EXPECT_EQ(ReadAll(reader), Expected());
}

// The first block's content, which may have been compressed.
std::string FirstBlock(const std::string& file) {
  std::uint32_t header[4];
  std::memcpy(header, file.data() + 16, sizeof header);
  EXPECT_EQ(header[0], 2u);
  const std::string stored = file.substr(32, header[1]);
  if (header[1] == header[2]) return stored;
  std::string raw(header[2], '\0');
  EXPECT_EQ(
      ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size()),
      raw.size());
  return raw;
}

TEST(WorkedExampleTest, WriterProducesTheBytesOfTheDocument) {
  const ScratchFile file;
  WriteTrace(file.path(), Example());
  const std::string bytes = ReadBytes(file.path());
  ASSERT_GT(bytes.size(), 32u);
  EXPECT_EQ(bytes.substr(0, 16), FileHeader());
  EXPECT_EQ(FirstBlock(bytes), Columns());
  // 3 requests, 3 events, nothing lost, no waiting.
  EXPECT_TRUE(bytes.ends_with(EndBlock(3, 3)));
}

// It takes no region: 0 would need one of its own.
TEST(WorkedExampleTest, TheOldAddressOfReallocNullIsEscaped) {
  const ScratchFile file;
  WriteTrace(file.path(), {Realloc(0, 0x7f0000000010, 24)});
  const std::string raw = FirstBlock(ReadBytes(file.path()));
  EXPECT_EQ(raw.substr(32), Little32(1) + Little32(1) +  // wide, regions
                                Little64(0x7f0000000000) +
                                Bytes({0x13, 0x06}) +     // realloc(24), obj
                                Bytes({0, 0, 0, 0xf0}) +  // the escape
                                Bytes({2, 0, 0, 0}) + Bytes({0}));
}

}  // namespace
}  // namespace arenalab
