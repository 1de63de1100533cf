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

TEST(WorkedExampleTest, WriterProducesTheBytesOfTheDocument) {
  const ScratchFile file;
  WriteTrace(file.path(), Example());
  const std::string bytes = ReadBytes(file.path());
  ASSERT_GT(bytes.size(), 32u);
  EXPECT_EQ(bytes.substr(0, 16), FileHeader());
  // The block, whose content may have been compressed.
  std::uint32_t header[4];
  std::memcpy(header, bytes.data() + 16, sizeof header);
  EXPECT_EQ(header[0], 2u);
  std::string raw = bytes.substr(32, header[1]);
  if (header[1] != header[2]) {
    std::string unpacked(header[2], '\0');
    ASSERT_EQ(ZSTD_decompress(unpacked.data(), unpacked.size(), raw.data(),
                              raw.size()),
              unpacked.size());
    raw = unpacked;
  }
  EXPECT_EQ(raw, Columns());
  // END: 3 requests, 3 events, nothing lost, no waiting.
  EXPECT_EQ(bytes.substr(32 + header[1]),
            HandMadeBlock(3, Bytes({3, 0, 0, 0, 0, 0, 0, 0}) +
                                 Bytes({3, 0, 0, 0, 0, 0, 0, 0}) +
                                 std::string(16, '\0')));
}

}  // namespace
}  // namespace arenalab
