// Runs the reader's fuzz target over its seeds and thousands of changes of
// them, in each of its ways to take bytes. The target aborts where it finds
// something; ASan and UBSan find the rest.
#include <zstd.h>

#include <cstring>
#include <map>
#include <string>

#include "tests/tracer/format/mutation.h"
#include "tests/tracer/format/seed_text.h"
#include "tests/tracer/format/text_fixture.h"
#include "tracer/format/layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t bytes);

namespace arenalab {
namespace {

void FuzzOne(const std::string& bytes) {
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

// The columns of an EVENTS block as the target's way 2 takes them.
std::string Decompressed(const std::string& content) {
  layout::EventsHeader header;
  std::memcpy(&header, content.data(), sizeof header);
  std::size_t stored =
      sizeof header + header.columns * sizeof(layout::ColumnEntry);
  std::map<unsigned, std::string> columns;
  for (unsigned i = 0; i < header.columns; ++i) {
    layout::ColumnEntry entry;
    std::memcpy(&entry, content.data() + sizeof header + i * sizeof entry,
                sizeof entry);
    std::string raw = content.substr(stored, entry.stored_bytes);
    stored += entry.stored_bytes;
    if (entry.coding == layout::kZstd) {
      const std::string packed = raw;
      raw.assign(entry.raw_bytes, '\0');
      EXPECT_EQ(
          ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size()),
          raw.size());
    }
    columns[entry.id] = raw;
  }
  std::string bytes = {static_cast<char>(header.heads),
                       static_cast<char>(header.class_shift)};
  for (unsigned id = 1; id + 1 < layout::kRequiredColumns; ++id) {
    EXPECT_LT(columns[id].size(), 256u);
    bytes += static_cast<char>(columns[id].size());
    bytes += columns[id];
  }
  return bytes + columns[layout::kRequiredColumns - 1];
}

// The file, and each of its blocks in the ways 1, 2 and 3.
void AddSeeds(const std::string& file, std::vector<std::string>* seeds) {
  seeds->push_back(std::string(1, '\0') + file);
  layout::BlockHeader header;
  for (std::size_t at = layout::kFileHeaderBytes; at < file.size();
       at += sizeof header + header.stored_bytes) {
    std::memcpy(&header, file.data() + at, sizeof header);
    std::string raw(header.raw_bytes, '\0');
    const char* const stored = file.data() + at + sizeof header;
    if (header.stored_bytes == header.raw_bytes) {
      raw.assign(stored, header.raw_bytes);
    } else {
      ASSERT_EQ(
          ZSTD_decompress(raw.data(), raw.size(), stored, header.stored_bytes),
          raw.size());
    }
    if (header.type == layout::kMetaBlock) seeds->push_back("\x03" + raw);
    if (header.type != layout::kEventsBlock) continue;
    seeds->push_back("\x01" + raw);
    seeds->push_back("\x02" + Decompressed(raw));
  }
}

TEST(TraceReaderFuzzTest, SeedsAndTheirMutations) {
  std::vector<std::string> seeds = {""};
  for (const char* text : {kSeedText, kSeedTextWithoutAddresses}) {
    const ScratchFile file;
    Import(text, file.path());
    AddSeeds(ReadBytes(file.path()), &seeds);
  }
  ASSERT_EQ(seeds.size(), 9u);
  for (const std::string& seed : seeds) FuzzOne(seed);
  Mutator mutator(seeds, 1);
  for (int i = 0; i < 6000; ++i) FuzzOne(mutator.Next());
}

}  // namespace
}  // namespace arenalab
