// Fuzz target: any bytes as a trace file. What is read without an error must
// survive writing and reading again, and dump -> import -> dump.
//
// Checksums would keep a fuzzer from ever reaching the decoder, so the first
// byte chooses how the rest is taken:
//   0  a whole file, as it is
//   1  the content of an EVENTS block, checksum and frame put around it
//   2  columns: a byte each for the number of heads and the alignment, then
//      each column's length, a byte, and its bytes; the last takes all
//   3  the content of a META block
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

#include "tracer/format/layout.h"
#include "tracer/format/name_copy.h"
#include "tracer/format/text.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {
namespace {

using namespace layout;

// A file without a name, gone with the object.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void Write(std::string_view bytes) const {
    if (write(fd_, bytes.data(), bytes.size()) !=
        static_cast<ssize_t>(bytes.size())) {
      std::abort();
    }
  }

 private:
  const int fd_;
};

template <typename T>
std::string BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string Framed(BlockType type, const std::string& raw) {
  const auto bytes = static_cast<std::uint32_t>(raw.size());
  BlockHeader header{type, bytes, bytes, 0};
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(&header),
                         kChecksummedHeaderBytes);
  header.crc32 = static_cast<std::uint32_t>(
      crc32(crc, reinterpret_cast<const Bytef*>(raw.data()), bytes));
  return std::string(kMagic, sizeof kMagic) + BytesOf(kVersion) +
         std::string(4, '\0') + BytesOf(header) + raw;
}

std::string Columns(std::string_view data) {
  const auto take = [&data] {
    if (data.empty()) return 0u;
    const auto byte = static_cast<unsigned char>(data.front());
    data.remove_prefix(1);
    return unsigned{byte};
  };
  EventsHeader header{};
  header.heads = take();
  header.class_shift = static_cast<std::uint8_t>(kMinClassShift + take() % 2);
  header.window_log2 = kMinWindowLog2;
  std::string entries, columns;
  for (unsigned id = 1; id < kRequiredColumns; ++id) {
    const std::size_t wanted =
        id + 1 == kRequiredColumns ? data.size() : take();
    const std::size_t bytes = std::min(wanted, data.size());
    const auto length = static_cast<std::uint32_t>(bytes);
    entries += BytesOf(
        ColumnEntry{static_cast<std::uint16_t>(id), kAsItIs, length, length});
    columns += data.substr(0, bytes);
    data.remove_prefix(bytes);
    ++header.columns;
  }
  return BytesOf(header) + entries + columns;
}

std::string FileOf(std::string_view data) {
  const unsigned mode = data.empty() ? 0 : static_cast<unsigned char>(data[0]);
  std::string rest(data.substr(std::min<std::size_t>(1, data.size())));
  switch (mode % 4) {
    case 1:
      return Framed(kEventsBlock, rest);
    case 2:
      return Framed(kEventsBlock, Columns(rest));
    case 3:
      return Framed(kMetaBlock, rest);
    default:
      return rest;
  }
}

std::string Dumped(TraceReader& reader) {
  char* text = nullptr;
  std::size_t bytes = 0;
  std::FILE* const out = open_memstream(&text, &bytes);
  DumpText(reader, out);
  std::fclose(out);
  std::string result(text, bytes);
  std::free(text);
  return result;
}

// Aborts unless both files hold the same events.
void CheckSame(const std::string& what, const std::string& a,
               const std::string& b) {
  if (a == b) return;
  std::fprintf(stderr, "%s differs:\n%s\n---\n%s\n", what.c_str(), a.c_str(),
               b.c_str());
  std::abort();
}

void CheckSurvives(TraceReader& reader) {
  const MemoryFile rewritten;
  TraceWriter writer(rewritten.path(), /*exclusive=*/false);
  reader.Rewind();
  NameCopy names(reader, writer);
  for (Event event; reader.Next(&event);) {
    names.Translate(&event);
    writer.Append(event);
  }
  writer.Flush();
  CheckSame("rewritten", TraceReader(rewritten.path()).ContentHash(),
            reader.ContentHash());

  const std::string text = Dumped(reader);
  const MemoryFile imported;
  TraceWriter importer(imported.path(), /*exclusive=*/false);
  std::istringstream in(text);
  ImportText(in, "dump", importer);
  TraceReader again(imported.path());
  CheckSame("dump", Dumped(again), text);
}

}  // namespace
}  // namespace arenalab

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t bytes) {
  const arenalab::MemoryFile file;
  file.Write(arenalab::FileOf({reinterpret_cast<const char*>(data), bytes}));
  try {
    arenalab::TraceReader reader(file.path());
    arenalab::Event event;
    while (reader.Next(&event)) {
    }
    try {
      arenalab::CheckSurvives(reader);
    } catch (const arenalab::InputError& error) {
      std::fprintf(stderr, "what was read is rejected: %s\n", error.what());
      std::abort();
    }
  } catch (const arenalab::InputError&) {
  }
  return 0;
}
