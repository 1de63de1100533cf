// Brings a compiled trace into a worker, one segment at a time.
//
//   file   | segment 0 | segment 1 | ... kEnd |
//                ^ mapped, prefaulted and read through before the timer runs
//
// A segment ends between two operations: one that has its size or alignment in
// the Op behind it is never cut. Behind the last Op lie kReadAhead readable
// ones, so that the loop may look ahead without asking. Mapped, not read: the
// ops are the page cache's, and Drop() takes them out of this process's Rss.
//
// Linked into workers. One thread. Allocates nothing but mappings.
#pragma once

#include <cstdint>

#include "tools/replay/ops.h"

namespace arenalab {

inline constexpr std::uint64_t kSegmentOps = std::uint64_t{16} << 20;
inline constexpr std::uint64_t kReadAhead = 16;

// The u64 that stands in the place of an Op.
constexpr std::uint64_t WideOf(Op op) {
  return op.slot | std::uint64_t{op.word} << 32;
}
constexpr Op MakeWide(std::uint64_t value) {
  return Op{static_cast<std::uint32_t>(value),
            static_cast<std::uint32_t>(value >> 32)};
}

struct Segment {
  const Op* begin = nullptr;
  const Op* end = nullptr;   // one behind; kEnd is not part of it
  std::uint64_t events = 0;  // requests in it, releases included
};

class SegmentReader {
 public:
  // `fd` holds `ops` Ops; slots and samples bound what their slot may be.
  SegmentReader(int fd, std::uint64_t ops, std::uint32_t slots,
                std::uint32_t samples);
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  // Maps the next segment; false at the end and when the program is malformed.
  bool Next(Segment* segment);
  // nullptr, or why Next() stopped.
  const char* error() const { return error_; }
  // Takes the pages of the current segment out of this process; they come back
  // when they are read. (For samples of Rss; never while a timer runs.)
  void Drop();

 private:
  bool Fail(const char* error);
  bool Map();
  // Length of the operation at `op` in Ops, 0 if it is malformed.
  std::uint64_t LengthOf(const Op* op, std::uint64_t available);

  int fd_;
  std::uint64_t ops_;
  std::uint32_t slots_;
  std::uint32_t samples_;
  std::uint64_t next_ = 0;  // index of the first Op not yet handed out
  void* window_ = nullptr;
  std::uint64_t window_bytes_ = 0;
  const Op* mapped_ = nullptr;  // the Op of index next_
  bool ended_ = false;
  const char* error_ = nullptr;
};

}  // namespace arenalab
