// A request stream that is made, not recorded: ops for a replay worker, drawn
// from one fixed generator, so that everybody measures the same requests.
//
// Slots are numbered from 0; whoever allocates into a slot frees it before it
// does so again. One sample stands where At() was called. Threads: one.
#pragma once

#include <cstdint>

#include "tools/replay/measure.h"
#include "tools/replay/op_file.h"
#include "tools/replay/ops.h"

namespace arenalab {

// Knuth's MMIX generator; the upper 31 bits.
class Draws {
 public:
  std::uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33);
  }

 private:
  std::uint64_t state_ = 1;
};

class OpStream {
 public:
  // REQUIRES: bytes < kWideSize.
  void Allocate(std::uint32_t slot, std::uint32_t bytes) {
    Append(OpCode::kAlloc, slot, bytes);
  }
  void Free(std::uint32_t slot) { Append(OpCode::kFree, slot, 0); }
  // A sample here; its number.
  std::uint32_t At() {
    ops_.Append(MakeOp(OpCode::kSample, samples_, 0));
    return samples_++;
  }
  // Nothing is added after it. Valid while this object lives.
  OpsProgram Close() {
    ops_.Append(MakeOp(OpCode::kEnd, 0, 0));
    ops_.Seal();
    return {.fd = ops_.fd(),
            .ops = ops_.ops().size(),
            .slots = slots_,
            .samples = samples_};
  }
  std::uint64_t requests() const { return requests_; }

 private:
  void Append(OpCode code, std::uint32_t slot, std::uint32_t bytes) {
    ops_.Append(MakeOp(code, slot, bytes));
    ++requests_;
    if (slot >= slots_) slots_ = slot + 1;
  }

  OpFile ops_;
  std::uint32_t slots_ = 0;
  std::uint32_t samples_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace arenalab
