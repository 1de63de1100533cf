// The memfd behind a compiled trace.
#include "tools/replay/op_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace arenalab {
namespace {

[[noreturn]] void ThrowErrno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

OpFile::OpFile() {
  fd_ = memfd_create("arenalab-ops", MFD_CLOEXEC);
  if (fd_ < 0) ThrowErrno("memfd_create for the compiled trace");
  buffer_.reserve(kBufferOps);
}

OpFile::~OpFile() {
  if (mapping_ != nullptr) {
    munmap(const_cast<Op*>(mapping_), size_ * sizeof(Op));
  }
  if (fd_ >= 0) close(fd_);
}

OpFile::OpFile(OpFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

OpFile& OpFile::operator=(OpFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(mapping_, other.mapping_);
  std::swap(size_, other.size_);
  return *this;
}

void OpFile::Flush() {
  const char* from = reinterpret_cast<const char*>(buffer_.data());
  std::size_t left = buffer_.size() * sizeof(Op);
  while (left > 0) {
    const ssize_t written = write(fd_, from, left);
    if (written < 0) {
      if (errno == EINTR) continue;
      ThrowErrno("writing the compiled trace to memory");
    }
    from += written;
    left -= static_cast<std::size_t>(written);
  }
  size_ += buffer_.size();
  buffer_.clear();
}

void OpFile::Seal() {
  Flush();
  if (size_ == 0) return;
  void* mapping =
      mmap(nullptr, size_ * sizeof(Op), PROT_READ, MAP_SHARED, fd_, 0);
  if (mapping == MAP_FAILED) ThrowErrno("mapping the compiled trace");
  mapping_ = static_cast<const Op*>(mapping);
}

}  // namespace arenalab
