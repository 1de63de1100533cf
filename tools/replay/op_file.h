// An array of Ops in an anonymous file (memfd): appended once from start to
// end, then mapped read-only here and, through its descriptor, in the workers.
//
// OWNERSHIP. The file lives as long as a descriptor or a mapping of it does.
// ERRORS. std::system_error where the kernel refuses (no memory).
// THREADS. One writer; after Seal() any number of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/replay/ops.h"

namespace arenalab {

class OpFile {
 public:
  OpFile();
  ~OpFile();
  OpFile(OpFile&& other) noexcept;
  OpFile& operator=(OpFile&& other) noexcept;

  void Append(Op op) {
    buffer_.push_back(op);
    if (buffer_.size() == kBufferOps) Flush();
  }
  // No Append() after this.
  void Seal();

  // After Seal().
  std::span<const Op> ops() const { return {mapping_, size_}; }
  int fd() const { return fd_; }

 private:
  static constexpr std::size_t kBufferOps = 1 << 16;
  void Flush();

  int fd_ = -1;
  std::vector<Op> buffer_;
  const Op* mapping_ = nullptr;
  std::size_t size_ = 0;  // ops, written
};

}  // namespace arenalab
