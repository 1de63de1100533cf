// Reads one stream of a ring, record by record, and gives its chunks back.
//
// THREADS. The collector's only. The program writes at the same time; nothing
// is read past the published position that the caller has loaded.
#pragma once

#include <cstdint>
#include <string_view>

#include "tracer/ring/ring.h"

namespace arenalab {

// One record with its prefixes. Sizes in bytes.
struct RingRecord {
  ring::Op op{};
  std::uint32_t depth = 0;
  std::uint64_t payload = 0;  // address, or what ring::Op says
  std::uint64_t size_bytes = 0;
  std::uint64_t align_bytes = 0;
  std::uint64_t old_address = 0;
  std::string_view text;     // in the ring: until the next record is read
  std::uint64_t ticket = 0;  // thread streams
  std::uint64_t sync = 0;    // thread streams: holds until changed
  std::uint32_t state = 0;   // likewise
};

class StreamReader {
 public:
  StreamReader(ring::Header* header, std::size_t slot);

  // The position behind the last whole record, now.
  std::uint64_t Published() const {
    return header_->streams[slot_].published.load(std::memory_order_acquire);
  }
  // The next record before `limit`, a value of Published(). False where there
  // is none, or where the stream is damaged.
  bool Next(std::uint64_t limit, RingRecord* record);

  // The hot path of the state stream: the words from here to `limit` or to the
  // chunk's end, to be looked at and then skipped by whole records.
  const std::uint64_t* Words(std::uint64_t limit, std::size_t* count) const {
    const std::uint64_t offset = position_ % ring::kChunkBytes;
    const std::uint64_t left = ring::kChunkBytes - offset;
    const std::uint64_t wanted = limit > position_ ? limit - position_ : 0;
    *count = (wanted < left ? wanted : left) / 8;
    return words_ + offset / 8;
  }
  void Skip(std::size_t words) { position_ += words * 8; }

  std::uint64_t position() const { return position_; }
  std::uint32_t chunk() const { return chunk_; }
  bool damaged() const { return damaged_; }

 private:
  std::uint64_t Word() {
    const std::uint64_t word = words_[position_ % ring::kChunkBytes / 8];
    position_ += 8;
    return word;
  }
  std::string_view Text(std::size_t bytes);
  bool EnterChunk(std::uint64_t chunk);
  bool Damage();

  ring::Header* header_;
  std::size_t slot_;
  std::uint32_t chunk_ = ring::kNoChunk;
  const std::uint64_t* words_ = nullptr;
  std::uint64_t position_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t sync_ = 0;
  std::uint32_t pymalloc_state_ = 0;
  bool damaged_ = false;
};

}  // namespace arenalab
