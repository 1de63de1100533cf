// Hand-written ops programs for tests: in a memfd, closed by kEnd.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "tools/replay/measure.h"
#include "tools/replay/ops.h"

namespace arenalab {

class OpProgram {
 public:
  OpProgram& Add(OpCode code, std::uint32_t slot, std::uint64_t size = 0) {
    if (code <= OpCode::kFree && slot >= program_.slots) {
      program_.slots = slot + 1;
    }
    if (code == OpCode::kSample && slot >= program_.samples) {
      program_.samples = slot + 1;
    }
    const bool wide = size >= kWideSize;
    ops_.push_back(MakeOp(code, slot,
                          wide ? kWideSize : static_cast<std::uint32_t>(size)));
    if (wide) {
      ops_.push_back({static_cast<std::uint32_t>(size),
                      static_cast<std::uint32_t>(size >> 32)});
    }
    return *this;
  }
  OpProgram& Aligned(std::uint32_t slot, std::uint32_t align_log2,
                     std::uint64_t size) {
    Add(OpCode::kAligned, slot, size);
    ops_.push_back({align_log2, 0});
    return *this;
  }
  OpProgram& Alloc(std::uint32_t slot, std::uint64_t size) {
    return Add(OpCode::kAlloc, slot, size);
  }
  OpProgram& Free(std::uint32_t slot) { return Add(OpCode::kFree, slot); }
  OpProgram& Sample(std::uint32_t number) {
    return Add(OpCode::kSample, number);
  }

  // Writes what was added so far and kEnd; the descriptor is this object's.
  const OpsProgram& Close() {
    ops_.push_back(MakeOp(OpCode::kEnd, 0, 0));
    return CloseWithoutEnd();
  }
  const OpsProgram& CloseWithoutEnd() {
    program_.ops = ops_.size();
    program_.fd = memfd_create("test program", MFD_CLOEXEC);
    const char* from = reinterpret_cast<const char*>(ops_.data());
    for (std::size_t left = ops_.size() * sizeof(Op); left > 0;) {
      const ssize_t wrote = write(program_.fd, from, left);
      if (wrote <= 0) break;
      from += wrote;
      left -= static_cast<std::size_t>(wrote);
    }
    return program_;
  }

  OpProgram() = default;
  ~OpProgram() {
    if (program_.fd >= 0) close(program_.fd);
  }
  OpProgram(const OpProgram&) = delete;
  OpProgram& operator=(const OpProgram&) = delete;

 private:
  std::vector<Op> ops_;
  OpsProgram program_;
};

}  // namespace arenalab
