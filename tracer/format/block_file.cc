// Walking the headers costs one page fault a block; that tells at once whether
// the file is whole, and where its metadata stands.
#include "tracer/format/block_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "tracer/format/input_error.h"

namespace arenalab {

using namespace layout;

namespace {

// A descriptor that is closed at the end of its scope; standard input is not.
struct Descriptor {
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() {
    if (fd > STDERR_FILENO) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

std::uint32_t Checksum(const BlockHeader& header, const std::uint8_t* stored) {
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(&header),
                         kChecksummedHeaderBytes);
  return static_cast<std::uint32_t>(crc32(crc, stored, header.stored_bytes));
}

constexpr std::uint64_t kMostHeldBytes = 4 << 20;

}  // namespace

BlockFile::BlockFile(const std::string& path) : path_(path) {
  Load();
  try {
    Walk();
  } catch (...) {
    if (mapped_) {
      munmap(const_cast<std::uint8_t*>(data_.data()), data_.size());
    }
    throw;
  }
}

BlockFile::~BlockFile() {
  if (mapped_) munmap(const_cast<std::uint8_t*>(data_.data()), data_.size());
  ZSTD_freeDCtx(decompressor_);
}

void BlockFile::Load() {
  const auto fail = [this](const char* what) {
    throw InputError(path_ + ": " + what + ": " + std::strerror(errno));
  };
  const Descriptor file(
      path_ == "-" ? STDIN_FILENO : open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail("cannot open");
  struct stat status;
  if (fstat(file.fd, &status) != 0) fail("cannot stat");
  if (S_ISDIR(status.st_mode)) {
    throw InputError(path_ + ": is a directory; name a .trace file in it");
  }
  if (S_ISREG(status.st_mode) && status.st_size > 0 && path_ != "-") {
    const auto bytes = static_cast<std::size_t>(status.st_size);
    void* const at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (at == MAP_FAILED) fail("cannot map");
    mapped_ = true;
    data_ = {static_cast<const std::uint8_t*>(at), bytes};
    return;
  }
  constexpr std::size_t kReadBytes = 1u << 20;
  for (;;) {
    const std::size_t have = read_.size();
    read_.resize(have + kReadBytes);
    const ssize_t got = read(file.fd, read_.data() + have, kReadBytes);
    if (got < 0 && errno != EINTR) fail("cannot read");
    read_.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) break;
  }
  data_ = read_;
}

void BlockFile::Walk() {
  if (data_.empty()) {
    throw InputError(path_ + ": is empty, not a trace; nothing was recorded");
  }
  if (std::memcmp(data_.data(), kMagic,
                  std::min(sizeof kMagic, data_.size())) != 0) {
    throw InputError(path_ +
                     ": byte 0: not a trace (a text form becomes one by "
                     "`arenalab trace import`)");
  }
  if (data_.size() < kFileHeaderBytes) {
    throw InputError(path_ + ": byte " + std::to_string(data_.size()) +
                     ": the file's header is cut short; nothing was recorded");
  }
  std::uint32_t version, zero;
  std::memcpy(&version, data_.data() + sizeof kMagic, sizeof version);
  std::memcpy(&zero, data_.data() + sizeof kMagic + sizeof version,
              sizeof zero);
  if (version != kVersion || zero != 0) {
    throw InputError(path_ + ": byte 8: trace format version " +
                     std::to_string(version) + (zero != 0 ? " (flagged)" : "") +
                     "; this arenalab reads version " +
                     std::to_string(kVersion) + " only");
  }
  std::uint64_t at = kFileHeaderBytes;
  while (data_.size() - at >= sizeof(BlockHeader)) {
    Block block{at, {}};
    std::memcpy(&block.header, data_.data() + at, sizeof block.header);
    const BlockHeader& header = block.header;
    if (header.type < kMetaBlock || header.type > kTypesBlock) {
      throw InputError(Where(block) + ": unknown type " +
                       std::to_string(header.type) + "; the file is damaged");
    }
    if (header.raw_bytes > kMaxRawBytes ||
        header.stored_bytes > header.raw_bytes ||
        (header.type == kEndBlock &&
         header.stored_bytes != sizeof(EndRecord))) {
      throw InputError(Where(block) +
                       ": impossible length; the file is damaged");
    }
    if (data_.size() - at - sizeof header < header.stored_bytes) break;
    at += sizeof header + header.stored_bytes;
    LetGoBefore(block.offset);
    blocks_.push_back(block);
    if (header.type == kEndBlock) {
      if (at == data_.size()) break;
      // Either rubbish after the end, or an END that is none.
      VerifyChecksum(block);
      throw InputError(path_ + ": byte " + std::to_string(at) +
                       ": the trace ends here but the file goes on; cut it");
    }
  }
  cut_bytes_ = data_.size() - at;
  // Cut short, or a damaged length that reaches past the end? A file that ends
  // as a whole one does was not cut.
  if (cut_bytes_ != 0 && EndsWithEndBlock()) {
    throw InputError(path_ + ": block at byte " + std::to_string(at) +
                     ": its length is damaged");
  }
}

// The kernel maps them again where they are asked for again.
void BlockFile::LetGoBefore(std::uint64_t offset) const {
  constexpr std::uint64_t kPageBytes = 64 << 10;  // or a part of it
  offset -= offset % kPageBytes;
  if (!mapped_ || offset < held_from_) {
    held_from_ = offset;
  } else if (offset - held_from_ >= kMostHeldBytes) {
    madvise(const_cast<std::uint8_t*>(data_.data()) + held_from_,
            offset - held_from_, MADV_DONTNEED);
    held_from_ = offset;
  }
}

bool BlockFile::EndsWithEndBlock() const {
  constexpr std::size_t kBytes = sizeof(BlockHeader) + sizeof(EndRecord);
  if (data_.size() < kFileHeaderBytes + kBytes) return false;
  const std::uint8_t* const at = data_.data() + data_.size() - kBytes;
  BlockHeader header;
  std::memcpy(&header, at, sizeof header);
  return header.type == kEndBlock && header.stored_bytes == sizeof(EndRecord) &&
         header.crc32 == Checksum(header, at + sizeof header);
}

void BlockFile::VerifyChecksum(const Block& block) const {
  if (Checksum(block.header, data_.data() + block.offset +
                                 sizeof(BlockHeader)) != block.header.crc32) {
    throw InputError(Where(block) +
                     ": checksum does not match; the file is damaged");
  }
}

std::span<const std::uint8_t> BlockFile::Content(
    const Block& block, std::vector<std::uint8_t>* buffer) const {
  LetGoBefore(block.offset);
  VerifyChecksum(block);
  const std::uint8_t* const stored =
      data_.data() + block.offset + sizeof(BlockHeader);
  const BlockHeader& header = block.header;
  if (header.stored_bytes == header.raw_bytes) {
    return {stored, header.raw_bytes};
  }
  if (decompressor_ == nullptr) decompressor_ = ZSTD_createDCtx();
  if (decompressor_ == nullptr) throw std::bad_alloc();
  if (buffer->size() < header.raw_bytes) buffer->resize(header.raw_bytes);
  const std::size_t got =
      ZSTD_decompressDCtx(decompressor_, buffer->data(), header.raw_bytes,
                          stored, header.stored_bytes);
  if (ZSTD_isError(got) != 0 || got != header.raw_bytes) {
    throw InputError(Where(block) +
                     ": cannot be decompressed; the file is damaged");
  }
  return {buffer->data(), header.raw_bytes};
}

std::string BlockFile::Where(const Block& block) const {
  return path_ + ": block at byte " + std::to_string(block.offset);
}

}  // namespace arenalab
