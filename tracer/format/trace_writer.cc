// A block is written with one write(2), so that a writer killed at any moment
// leaves whole blocks and at most one that is cut short.
#include "tracer/format/trace_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "tracer/format/event_columns.h"
#include "tracer/format/heap_image.h"
#include "tracer/format/layout.h"
#include "tracer/format/name_table.h"

namespace arenalab {
namespace {

using namespace layout;

// Level 1: the writer runs beside the traced program.
constexpr int kCompressionLevel = 1;

// A file-size limit raises SIGXFSZ in the thread that writes. It is held back
// and taken away here: the limit is to be an error of this writer, not the end
// of the process.
class FileSizeSignalHeld {
 public:
  FileSizeSignalHeld() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~FileSizeSignalHeld() {
    if (sigismember(&before_, SIGXFSZ) == 0) {
      const timespec now{};
      while (sigtimedwait(&signal_, nullptr, &now) == SIGXFSZ) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  FileSizeSignalHeld(const FileSizeSignalHeld&) = delete;
  FileSizeSignalHeld& operator=(const FileSizeSignalHeld&) = delete;

 private:
  sigset_t signal_;
  sigset_t before_;
};

}  // namespace

struct TraceWriter::Impl {
  Impl(std::string path_given, TraceWriterOptions options)
      : path(std::move(path_given)), columns(std::move(options)) {
    context = ZSTD_createCCtx();
    if (context == nullptr) error = path + ": no memory for the compressor";
  }
  ~Impl() {
    if (fd >= 0) close(fd);
    ZSTD_freeCCtx(context);
  }

  void Fail(const char* what) {
    if (error.empty()) error = path + ": " + what + ": " + std::strerror(errno);
  }

  void WriteAll(const std::uint8_t* data, std::size_t bytes) {
    if (!error.empty()) return;
    const FileSizeSignalHeld held;
    while (bytes > 0) {
      const ssize_t written = write(fd, data, bytes);
      if (written < 0) {
        if (errno == EINTR) continue;
        return Fail("cannot write");
      }
      written_bytes += static_cast<std::uint64_t>(written);
      data += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }

  void WriteBlock(BlockType type, const std::uint8_t* raw, std::size_t bytes) {
    if (!error.empty()) return;
    BlockHeader header{type, static_cast<std::uint32_t>(bytes),
                       static_cast<std::uint32_t>(bytes), 0};
    block.resize(sizeof header + ZSTD_compressBound(bytes));
    std::uint8_t* stored = block.data() + sizeof header;
    // The END mark keeps its one length, by which readers find it; the columns
    // of events are compressed already.
    const std::size_t packed =
        type == kEndBlock || type == kEventsBlock
            ? bytes
            : ZSTD_compressCCtx(context, stored, block.size() - sizeof header,
                                raw, bytes, kCompressionLevel);
    if (ZSTD_isError(packed) != 0 || packed >= bytes) {
      std::memcpy(stored, raw, bytes);
    } else {
      header.stored_bytes = static_cast<std::uint32_t>(packed);
    }
    auto crc = crc32(0, reinterpret_cast<const Bytef*>(&header),
                     kChecksummedHeaderBytes);
    crc = crc32(crc, stored, header.stored_bytes);
    header.crc32 = static_cast<std::uint32_t>(crc);
    std::memcpy(block.data(), &header, sizeof header);
    WriteAll(block.data(), sizeof header + header.stored_bytes);
  }

  // Content of any length, in blocks one after the other.
  void WriteInBlocks(BlockType type, const std::vector<std::uint8_t>& all) {
    for (std::size_t at = 0; at < all.size(); at += kMaxRawBytes)
      WriteBlock(type, all.data() + at,
                 std::min<std::size_t>(kMaxRawBytes, all.size() - at));
  }

  void FlushMeta() {
    if (meta.empty()) return;
    WriteBlock(kMetaBlock, reinterpret_cast<const std::uint8_t*>(meta.data()),
               meta.size());
    meta.clear();
  }

  void FlushEvents() {
    if (columns.empty()) return;
    const auto content = columns.Take();
    if (content.empty()) {
      error = path + ": no memory for the compressor";
      return;
    }
    WriteBlock(kEventsBlock, content.data(), content.size());
  }

  const std::string path;
  std::string error;
  int fd = -1;
  bool finished = false;
  ZSTD_CCtx* context = nullptr;

  NameTable names;
  EventColumns columns;             // the block being filled
  std::string meta;                 // lines not yet written
  std::vector<std::uint8_t> block;  // one as it is stored

  std::uint64_t written_bytes = 0;
  std::uint64_t requests = 0;
  std::uint64_t events = 0;
};

TraceWriter::TraceWriter(const std::string& path, bool exclusive,
                         TraceWriterOptions options)
    : impl_(std::make_unique<Impl>(path, std::move(options))) {
  impl_->fd = path == "-" ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                          : open(path.c_str(),
                                 O_WRONLY | O_CREAT | O_CLOEXEC |
                                     (exclusive ? O_EXCL : O_TRUNC),
                                 0666);
  if (impl_->fd < 0) {
    impl_->Fail("cannot create");
    return;
  }
  std::uint8_t header[kFileHeaderBytes] = {};
  std::memcpy(header, kMagic, sizeof kMagic);
  std::memcpy(header + sizeof kMagic, &kVersion, sizeof kVersion);
  impl_->WriteAll(header, sizeof header);
}

TraceWriter::~TraceWriter() { Flush(); }

void TraceWriter::Meta(std::string_view key, std::string_view value) {
  // One line each: what would break it becomes a blank in the value, and an
  // underscore in the key.
  if (impl_->finished) return;
  std::string line(key.empty() ? "_" : key.substr(0, kMaxNameBytes));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  line += ' ';
  const std::size_t value_begin = line.size();
  line += value.substr(0, kMaxMetaBytes / 2);
  std::replace(line.begin() + static_cast<std::ptrdiff_t>(value_begin),
               line.end(), '\n', ' ');
  line += '\n';
  if (impl_->meta.size() + line.size() > kMaxMetaBytes) impl_->FlushMeta();
  impl_->meta += line;
}

void TraceWriter::Heaps(const std::vector<HeapImage>& heaps,
                        const std::vector<BlockTypes>& types) {
  if (impl_->finished) return;
  Flush();
  std::vector<std::uint8_t> bytes;
  for (const HeapImage& heap : heaps) EncodeHeapImage(heap, &bytes);
  impl_->WriteInBlocks(kHeapBlock, bytes);
  bytes.clear();
  for (const BlockTypes& of_heap : types) EncodeBlockTypes(of_heap, &bytes);
  impl_->WriteInBlocks(kTypesBlock, bytes);
}

void TraceWriter::SetAlignment(int bytes) {
  impl_->columns.SetClassShift(bytes == 8 ? kMinClassShift : kMaxClassShift);
}

std::uint32_t TraceWriter::Intern(NameSpace space, std::string_view name) {
  Impl& to = *impl_;
  name = name.substr(0, kMaxNameBytes);
  bool is_new;
  const std::uint32_t number = to.names.Intern(space, name, &is_new);
  if (is_new && to.error.empty() && !to.finished) {
    if (to.columns.full()) Flush();
    to.columns.AddName(space, name);
  }
  return number;
}

void TraceWriter::Append(const Event& event) {
  Impl& to = *impl_;
  if (!to.error.empty() || to.finished) return;
  if (to.columns.full()) Flush();
  to.columns.Append(event, to.requests);
  to.requests += IsRequest(event.kind) ? 1 : 0;
  ++to.events;
}

PlainTaken TraceWriter::AppendPlain(const PlainRequests& plain) {
  Impl& to = *impl_;
  if (!to.error.empty() || to.finished) return {};
  if (to.columns.full()) Flush();
  const PlainTaken taken = to.columns.AppendPlain(plain, to.requests);
  to.requests += taken.requests;
  to.events += taken.requests;
  return taken;
}

void TraceWriter::Flush() {
  if (impl_->finished) return;
  impl_->FlushMeta();
  impl_->FlushEvents();
}

void TraceWriter::Finish(std::uint64_t lost, std::uint64_t waited_ns) {
  Impl& to = *impl_;
  if (to.finished) return;
  Flush();
  const EndRecord end{to.requests, to.events, lost, waited_ns};
  to.WriteBlock(kEndBlock, reinterpret_cast<const std::uint8_t*>(&end),
                sizeof end);
  to.finished = true;
  // A full network file system may say so only now.
  if (to.fd >= 0 && close(to.fd) != 0) to.Fail("cannot close");
  to.fd = -1;
}

std::uint64_t TraceWriter::requests() const { return impl_->requests; }
std::uint64_t TraceWriter::bytes() const { return impl_->written_bytes; }
bool TraceWriter::ok() const { return impl_->error.empty(); }
const std::string& TraceWriter::error() const { return impl_->error; }

}  // namespace arenalab
