// What the format's tests share: a scratch file each, events in short, files
// as bytes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// A file name of this test's own, removed at the end.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view suffix = ".trace") {
    const char* const folder = std::getenv("TEST_TMPDIR");
    std::string name = std::string(folder != nullptr ? folder : "/tmp") +
                       "/scratch-XXXXXX" + std::string(suffix);
    const int fd = mkstemps(name.data(), static_cast<int>(suffix.size()));
    EXPECT_GE(fd, 0) << name;
    close(fd);
    path_ = name;
  }
  ~ScratchFile() { unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteBytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

inline Event Alloc(std::uint64_t address, std::uint64_t size_bytes,
                   Layer layer = Layer::kObject) {
  Event event;
  event.kind = EventKind::kAlloc;
  event.layer = layer;
  event.address = address;
  event.size_bytes = size_bytes;
  return event;
}

inline Event Realloc(std::uint64_t old_address, std::uint64_t address,
                     std::uint64_t size_bytes, Layer layer = Layer::kObject) {
  Event event = Alloc(address, size_bytes, layer);
  event.kind = EventKind::kRealloc;
  event.old_address = old_address;
  return event;
}

inline Event Free(std::uint64_t address, Layer layer = Layer::kObject) {
  Event event;
  event.kind = EventKind::kFree;
  event.layer = layer;
  event.address = address;
  return event;
}

// An event that outlives the reader: names point into an event's own string.
struct KeptEvent {
  Event event;
  std::string name;

  friend bool operator==(const KeptEvent& a, const KeptEvent& b) {
    const auto fields = [](const Event& e) {
      return std::tie(e.kind, e.layer, e.depth, e.thread, e.state, e.request,
                      e.size_bytes, e.align_bytes, e.address, e.old_address,
                      e.lag, e.time_ns, e.number, e.rss_bytes);
    };
    return fields(a.event) == fields(b.event) && a.name == b.name;
  }
  friend void PrintTo(const KeptEvent& kept, std::ostream* out) {
    const Event& e = kept.event;
    *out << "{kind " << static_cast<int>(e.kind) << " layer "
         << static_cast<int>(e.layer) << " depth " << static_cast<int>(e.depth)
         << " thread " << e.thread << " state " << e.state << " request "
         << e.request << " size " << e.size_bytes << " align " << e.align_bytes
         << std::hex << " address 0x" << e.address << " old 0x" << e.old_address
         << std::dec << " lag " << e.lag << " time " << e.time_ns << " number "
         << e.number << " rss " << e.rss_bytes << " name '" << kept.name
         << "'}";
  }
};

inline std::vector<KeptEvent> ReadAll(TraceReader& reader) {
  std::vector<KeptEvent> events;
  for (Event event; reader.Next(&event);) {
    events.push_back({event, std::string(event.name)});
  }
  return events;
}

inline std::vector<KeptEvent> ReadAll(const std::string& path) {
  TraceReader reader(path);
  return ReadAll(reader);
}

// Whole, with an END mark.
inline void WriteTrace(const std::string& path,
                       const std::vector<Event>& events) {
  TraceWriter writer(path, /*exclusive=*/false);
  for (const Event& event : events) writer.Append(event);
  writer.Finish(0, 0);
  ASSERT_TRUE(writer.ok()) << writer.error();
}

}  // namespace arenalab
