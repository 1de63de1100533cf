// See stream_reader.h.
#include "tracer/collector/stream_reader.h"

#include <algorithm>

#include "tracer/event.h"
#include "tracer/ring/chunk_stack.h"

namespace arenalab {

using ring::Op;

StreamReader::StreamReader(ring::Header* header, std::size_t slot)
    : header_(header), slot_(slot) {
  EnterChunk(header->streams[slot].first_chunk);
}

bool StreamReader::Damage() {
  damaged_ = true;
  return false;
}

bool StreamReader::EnterChunk(std::uint64_t chunk) {
  if (chunk >= ring::kChunks) return Damage();
  chunk_ = static_cast<std::uint32_t>(chunk);
  words_ = ring::ChunkWords(header_, chunk);
  return true;
}

std::string_view StreamReader::Text(std::size_t bytes) {
  const std::uint64_t offset = position_ % ring::kChunkBytes;
  position_ += (bytes + 7) / 8 * 8;
  return {reinterpret_cast<const char*>(words_) + offset,
          std::min<std::size_t>(bytes, ring::kChunkBytes - offset)};
}

bool StreamReader::Next(std::uint64_t limit, RingRecord* record) {
  *record = {};
  while (position_ < limit && !damaged_) {
    // A whole record lies before the chunk's end; what a damaged one would read
    // beyond it is still inside the chunk, because positions wrap in it.
    const std::uint64_t word = Word();
    const Op op = ring::OpOf(word);
    switch (op) {
      case Op::kNext: {
        const std::uint32_t done = chunk_;
        position_ = (position_ + ring::kChunkBytes - 1) / ring::kChunkBytes *
                    ring::kChunkBytes;
        if (!EnterChunk(ring::PayloadOf(word))) return false;
        ring::GiveChunk(header_, done);
        continue;
      }
      case Op::kTicket:
        next_ticket_ = ring::PayloadOf(word);
        continue;
      case Op::kSync:
        sync_ = ring::PayloadOf(word);
        continue;
      case Op::kState:
        pymalloc_state_ = static_cast<std::uint32_t>(ring::PayloadOf(word));
        continue;
      case Op::kDepth:
        record->depth = static_cast<std::uint32_t>(ring::PayloadOf(word));
        continue;
      case Op::kThread:
      case Op::kRelease:
      case Op::kFork:
      case Op::kFinalise:
      case Op::kSite:
        break;
      case Op::kTypeName:
      case Op::kSiteName:
      case Op::kMark:
        record->text = Text(ring::SizeOf(word));
        break;
      case Op::kArenaAcquire:
      case Op::kArenaRelease:
        record->size_bytes = Word();
        break;
      default: {
        const unsigned request =
            static_cast<unsigned>(op) - static_cast<unsigned>(Op::kRequest);
        const auto kind = static_cast<EventKind>(request % 8);
        if (op < Op::kRequest || !IsRequest(kind)) return Damage();
        record->size_bytes = ring::SizeOf(word);
        if (record->size_bytes == ring::kWideSize) record->size_bytes = Word();
        if (kind == EventKind::kAligned) record->align_bytes = Word();
        if (kind == EventKind::kRealloc) record->old_address = Word();
        break;
      }
    }
    if (position_ > limit) return Damage();
    record->op = op;
    record->payload = ring::PayloadOf(word);
    record->sync = sync_;
    record->state = pymalloc_state_;
    // Harmless in the state stream, which has none; kThread is only there.
    record->ticket = next_ticket_++;
    return true;
  }
  return false;
}

}  // namespace arenalab
