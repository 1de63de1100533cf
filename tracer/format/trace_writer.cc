// The three columns of a block are filled in place by Append(), then laid end
// to end, compressed and written with one write(2), so that a writer killed at
// any moment leaves whole blocks and at most one that is cut short.
#include "tracer/format/trace_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tracer/format/heap_image.h"
#include "tracer/format/layout.h"
#include "tracer/format/varint.h"

namespace arenalab {
namespace {

using namespace layout;

// Level 1: the writer runs beside the traced program.
constexpr int kCompressionLevel = 1;
// An event is at most three contexts and itself.
constexpr std::uint32_t kHeadsPerEvent = 4;
// Context, size, alignment, extras and two escaped addresses, without a name.
constexpr std::uint32_t kWideBytesPerEvent = 128;
static_assert(kWideBytesPerEvent >= 9 * kMaxVarintBytes + 2);

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
  explicit Impl(std::string path_given) : path(std::move(path_given)) {
    wide_end = wide.get();
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
    // The END mark keeps its one length, by which readers find it.
    const std::size_t packed =
        type == kEndBlock
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
    if (head_count == 0) return;
    begin.heads = head_count;
    begin.addresses = address_count;
    begin.wide_bytes = static_cast<std::uint32_t>(wide_end - wide.get());
    begin.regions = region_count;
    raw.resize(sizeof begin + region_count * sizeof regions[0] +
               head_count * sizeof heads[0] +
               address_count * sizeof addresses[0] + begin.wide_bytes);
    std::uint8_t* out = raw.data();
    const auto put = [&out](const void* from, std::size_t bytes) {
      std::memcpy(out, from, bytes);
      out += bytes;
    };
    put(&begin, sizeof begin);
    put(regions, region_count * sizeof regions[0]);
    put(heads.get(), head_count * sizeof heads[0]);
    put(addresses.get(), address_count * sizeof addresses[0]);
    put(wide.get(), begin.wide_bytes);
    WriteBlock(kEventsBlock, raw.data(), raw.size());
    head_count = address_count = region_count = last_region = 0;
    wide_end = wide.get();
  }

  void PutHead(unsigned kind, unsigned layer, unsigned rest) {
    heads[head_count++] =
        static_cast<std::uint16_t>(kind | layer << kLayerShift | rest);
  }
  void PutWide(std::uint64_t value) { wide_end = PutVarint(wide_end, value); }
  void PutName(std::string_view name) {
    name = name.substr(0, kMaxNameBytes);
    PutWide(name.size());
    wide_end = std::copy(name.begin(), name.end(), wide_end);
  }

  // True: the address is to follow in wide.
  [[nodiscard]] bool PutAddress(std::uint64_t address) {
    const std::uint64_t base = address & ~(kRegionBytes - 1);
    if (address % (1u << kAddressUnitShift) != 0 || address == 0 ||
        !FindRegion(base)) {
      addresses[address_count++] = kEscape;
      return true;
    }
    addresses[address_count++] =
        last_region << kRegionShift |
        static_cast<std::uint32_t>((address - base) >> kAddressUnitShift);
    return false;
  }

  // Sets last_region; false where the block has no region left.
  bool FindRegion(std::uint64_t base) {
    if (last_region < region_count && regions[last_region] == base) return true;
    std::uint64_t* const end = regions + region_count;
    const std::uint64_t* const found = std::find(regions, end, base);
    if (found == end) {
      if (region_count == kMaxRegions) return false;
      regions[region_count++] = base;
    }
    last_region = static_cast<std::uint32_t>(found - regions);
    return true;
  }

  void PutContext(const Event& event) {
    if (event.thread != thread) {
      thread = event.thread;
      PutHead(kContext, kContextThread, 0);
      PutWide(thread);
    }
    if (event.state != state) {
      state = event.state;
      PutHead(kContext, kContextState, 0);
      PutWide(state);
    }
    if (event.time_ns > time_ns) {
      PutHead(kContext, kContextTime, 0);
      PutWide(event.time_ns - time_ns);
      time_ns = event.time_ns;
    }
  }

  void PutRequest(const Event& event) {
    const bool sized = event.kind != EventKind::kFree;
    const bool moved = event.kind == EventKind::kRealloc;
    const unsigned extras = (event.depth != 0 ? kExtraDepth : 0) |
                            (moved && event.lag != 0 ? kExtraLag : 0);
    const unsigned size = !sized
                              ? 0
                              : static_cast<unsigned>(std::min<std::uint64_t>(
                                    event.size_bytes, kWideSize));
    PutHead(static_cast<unsigned>(event.kind),
            static_cast<unsigned>(event.layer),
            (extras != 0 ? kExtrasBit : 0) | size << kSizeShift);
    if (size == kWideSize) PutWide(event.size_bytes);
    if (event.kind == EventKind::kAligned) {
      *wide_end++ = static_cast<std::uint8_t>(
          event.align_bytes == 0 ? 0 : std::bit_width(event.align_bytes) - 1);
    }
    if (extras != 0) {
      *wide_end++ = static_cast<std::uint8_t>(extras);
      if ((extras & kExtraDepth) != 0) PutWide(event.depth);
      if ((extras & kExtraLag) != 0) PutWide(event.lag);
    }
    const bool old_escaped = moved && PutAddress(event.old_address);
    const bool escaped = PutAddress(event.address);
    if (old_escaped) PutWide(event.old_address);
    if (escaped) PutWide(event.address);
  }

  void PutOther(const Event& event) {
    switch (event.kind) {
      case EventKind::kArenaAcquire:
      case EventKind::kArenaRelease:
        PutHead(kArena,
                event.kind == EventKind::kArenaAcquire ? kArenaAcquired
                                                       : kArenaReleased,
                0);
        PutWide(event.size_bytes);
        if (PutAddress(event.address)) PutWide(event.address);
        return;
      case EventKind::kMark:
        PutHead(kNote, kNoteMark, 0);
        return PutName(event.name);
      case EventKind::kFork:
        PutHead(kNote, kNoteFork, 0);
        PutWide(event.number);
        return PutName(event.name);
      default:
        PutHead(kContext, kContextMemory, 0);
        return PutWide(event.rss_bytes);
    }
  }

  const std::string path;
  std::string error;
  int fd = -1;
  bool finished = false;
  ZSTD_CCtx* context = nullptr;

  // The block being filled.
  EventsHeader begin{};
  // Pages are touched as they fill: most blocks need little of `wide`.
  const std::unique_ptr<std::uint16_t[]> heads =
      std::make_unique_for_overwrite<std::uint16_t[]>(kMaxHeads);
  std::uint32_t head_count = 0;
  const std::unique_ptr<std::uint32_t[]> addresses =
      std::make_unique_for_overwrite<std::uint32_t[]>(kMaxAddresses);
  std::uint32_t address_count = 0;
  const std::unique_ptr<std::uint8_t[]> wide =
      std::make_unique_for_overwrite<std::uint8_t[]>(kMaxWideBytes);
  std::uint8_t* wide_end = nullptr;
  std::uint64_t regions[kMaxRegions] = {};
  std::uint32_t region_count = 0;
  std::uint32_t last_region = 0;

  std::string meta;                 // lines not yet written
  std::vector<std::uint8_t> raw;    // a block's columns, end to end
  std::vector<std::uint8_t> block;  // the same as it is stored

  std::uint32_t thread = 0;
  std::uint32_t state = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t requests = 0;
  std::uint64_t events = 0;
};

TraceWriter::TraceWriter(const std::string& path, bool exclusive)
    : impl_(std::make_unique<Impl>(path)) {
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

void TraceWriter::Append(const Event& event) {
  Impl& to = *impl_;
  if (!to.error.empty() || to.finished) return;
  if (to.head_count + kHeadsPerEvent > kMaxHeads ||
      to.wide_end + kWideBytesPerEvent + kMaxNameBytes >
          to.wide.get() + kMaxWideBytes) {
    Flush();
  }
  if (to.head_count == 0) {
    to.begin.first_request = to.requests;
    to.begin.time_ns = to.time_ns;
    to.begin.thread = to.thread;
    to.begin.state = to.state;
  }
  to.PutContext(event);
  if (IsRequest(event.kind)) {
    to.PutRequest(event);
    ++to.requests;
  } else {
    to.PutOther(event);
  }
  ++to.events;
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
bool TraceWriter::ok() const { return impl_->error.empty(); }
const std::string& TraceWriter::error() const { return impl_->error; }

}  // namespace arenalab
