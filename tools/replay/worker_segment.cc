// Mapping and checking the ops; contract in worker_segment.h.
#include "tools/replay/worker_segment.h"

#include <sys/mman.h>

namespace arenalab {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
// An operation is at most three Ops: itself, its size, its alignment.
constexpr std::uint64_t kLongestOp = 3;

constexpr std::uint64_t PagesUp(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) & ~(kPageBytes - 1);
}

}  // namespace

SegmentReader::SegmentReader(int fd, std::uint64_t ops, std::uint32_t slots,
                             std::uint32_t samples)
    : fd_(fd), ops_(ops), slots_(slots), samples_(samples) {
  const std::uint64_t most = ops < kSegmentOps ? ops : kSegmentOps;
  window_bytes_ = PagesUp((most + kLongestOp + kReadAhead) * sizeof(Op)) +
                  kPageBytes;  // a segment may begin inside a page
}

SegmentReader::~SegmentReader() {
  if (window_ != nullptr) munmap(window_, window_bytes_);
}

bool SegmentReader::Fail(const char* error) {
  error_ = error;
  return false;
}

// Zeroes first, then the file over them as far as it goes: reading behind the
// end of a file's last page would kill the process.
bool SegmentReader::Map() {
  const int fixed = window_ == nullptr ? 0 : MAP_FIXED;
  void* window = mmap(window_, window_bytes_, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
  if (window == MAP_FAILED) return Fail("no address space for the ops");
  window_ = window;
  const std::uint64_t first_byte = next_ * sizeof(Op);
  const std::uint64_t from = first_byte & ~(kPageBytes - 1);
  std::uint64_t bytes = PagesUp(ops_ * sizeof(Op)) - from;
  if (bytes > window_bytes_) bytes = window_bytes_;
  if (mmap(window_, bytes, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
           fd_, static_cast<off_t>(from)) == MAP_FAILED) {
    return Fail("the ops cannot be mapped");
  }
  mapped_ = reinterpret_cast<const Op*>(static_cast<const char*>(window_) +
                                        (first_byte - from));
  return true;
}

std::uint64_t SegmentReader::LengthOf(const Op* op, std::uint64_t available) {
  std::uint64_t length = 1;
  switch (CodeOf(*op)) {
    case OpCode::kAligned:
      length = SizeOf(*op) == kWideSize ? 3 : 2;
      if (length > available || op[length - 1].slot >= 48) return 0;
      break;
    case OpCode::kAlloc:
    case OpCode::kZeroed:
    case OpCode::kRealloc:
      length = SizeOf(*op) == kWideSize ? 2 : 1;
      break;
    case OpCode::kFree:
      break;
    case OpCode::kSample:
      return op->slot < samples_ || samples_ == 0 ? 1 : 0;
    case OpCode::kClock:
    case OpCode::kEnd:
      return 1;
  }
  return length <= available && op->slot < slots_ ? length : 0;
}

bool SegmentReader::Next(Segment* segment) {
  if (ended_ || error_ != nullptr || !Map()) return false;
  std::uint64_t used = 0;
  segment->begin = mapped_;
  segment->events = 0;
  while (used < kSegmentOps) {
    if (next_ + used >= ops_) return Fail("the ops have no end");
    const Op* op = mapped_ + used;
    if (CodeOf(*op) == OpCode::kEnd) {
      ended_ = true;
      break;
    }
    const std::uint64_t length = LengthOf(op, ops_ - next_ - used);
    if (length == 0) return Fail("an op is out of bounds");
    segment->events += CodeOf(*op) <= OpCode::kFree;
    used += length;
  }
  segment->end = mapped_ + used;
  next_ += used;
  return true;
}

void SegmentReader::Drop() {
  if (window_ != nullptr) madvise(window_, window_bytes_, MADV_DONTNEED);
}

}  // namespace arenalab
