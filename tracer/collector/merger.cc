// See merger.h.
#include "tracer/collector/merger.h"

#include <algorithm>

#include "tracer/call_site.h"

namespace arenalab {

using ring::Op;

Merger::Merger(ring::Header* header, EventSink* sink)
    : header_(header),
      sink_(sink),
      state_(header, ring::kStateStream),
      known_slots_(ring::kStreams) {}

bool Merger::Drain(std::uint64_t time_ns, bool ended) {
  const std::uint64_t before = events_;
  time_ns_ = time_ns;
  if (!pending_) {
    target_state_ = state_.Published();
    target_ticket_ = header_->ticket.load(std::memory_order_acquire);
    pending_ = true;
  }
  FindStreams();
  if (MergeThreads(ended)) {
    EmitState(target_state_);
    pending_ = false;
  }
  return events_ != before;
}

void Merger::FindStreams() {
  const std::uint32_t limit = std::min<std::uint32_t>(
      header_->slot_limit.load(std::memory_order_acquire), ring::kStreams);
  for (std::uint32_t slot = 1; slot < limit; ++slot) {
    if (known_slots_[slot] ||
        header_->streams[slot].state.load(std::memory_order_acquire) !=
            ring::SlotState::kInUse) {
      continue;
    }
    known_slots_[slot] = true;
    threads_.push_back(std::make_unique<ThreadStream>(header_, slot));
  }
}

bool Merger::LoadHead(ThreadStream* stream) {
  if (stream->has_head) return true;
  stream->has_head =
      stream->reader.Next(stream->reader.Published(), &stream->head);
  damaged_ |= stream->reader.damaged();
  return stream->has_head;
}

Merger::ThreadStream* Merger::StreamOfTicket(std::uint64_t ticket) {
  // Threads run for a while: mostly it is the one of the last ticket.
  if (current_ != nullptr && LoadHead(current_) &&
      current_->head.ticket == ticket) {
    return current_;
  }
  for (const auto& stream : threads_) {
    if (LoadHead(stream.get()) && stream->head.ticket == ticket) {
      return current_ = stream.get();
    }
  }
  return nullptr;
}

bool Merger::MergeThreads(bool ended) {
  while (next_ticket_ < target_ticket_) {
    ThreadStream* stream = StreamOfTicket(next_ticket_);
    if (stream == nullptr) {
      if (!ended && !damaged_) return false;
      // Its thread was killed with the record in hand: never stored.
      std::uint64_t next = target_ticket_;
      for (const auto& other : threads_) {
        if (LoadHead(other.get())) next = std::min(next, other->head.ticket);
      }
      next_ticket_ = std::max(next, next_ticket_ + 1);
      continue;
    }
    EmitThreadRecord(stream);
    stream->has_head = false;
    ++next_ticket_;
  }
  return true;
}

void Merger::EmitThreadRecord(ThreadStream* stream) {
  const RingRecord& record = stream->head;
  EmitState(record.sync);
  if (record.op == Op::kRelease) {
    const std::size_t depth = std::min<std::uint64_t>(record.payload, 255);
    if (stream->released.size() <= depth) stream->released.resize(depth + 1);
    // 0: none; so the count is kept plus one.
    stream->released[depth] = requests_ + 1;
    return;
  }
  if (record.op == Op::kFork) {
    Blank(EventKind::kFork, stream->thread).number = record.payload;
    Emit();
    return;
  }
  if (record.op == Op::kArenaAcquire || record.op == Op::kArenaRelease) {
    return EmitArena(record, stream->thread);
  }
  std::uint64_t lag = 0;
  if (record.depth < stream->released.size()) {
    std::uint64_t& released = stream->released[record.depth];
    if (released != 0 && record.old_address != 0) {
      lag = requests_ + 1 - released;
      released = 0;
    }
  }
  EmitRequest(record, stream->thread, lag, 0);
}

void Merger::EmitState(std::uint64_t limit) {
  if (state_.position() >= limit) return;
  limit = std::min(limit, state_.Published());
  RingRecord record;
  do {
    EmitPlainRequests(limit);
    if (!state_.Next(limit, &record)) break;
    EmitStateRecord(record);
  } while (true);
  damaged_ |= state_.damaged();
}

// Nearly all records are plain, or a call site between them. Takes those up to
// the first that is neither, or to the chunk's end.
void Merger::EmitPlainRequests(std::uint64_t limit) {
  std::size_t count;
  const std::uint64_t* const words = state_.Words(limit, &count);
  PlainRequests plain;
  plain.bias = static_cast<std::uint64_t>(Op::kRequest);
  plain.thread = DenseThread(state_thread_);
  plain.time_ns = time_ns_;
  plain.types = types_;
  std::size_t at = 0;
  while (at < count) {
    if (ring::OpOf(words[at]) == Op::kSite) {
      site_ = Site(ring::PayloadOf(words[at++]));
      continue;
    }
    plain.words = words + at;
    plain.count = count - at;
    plain.site = site_;
    const PlainTaken taken = sink_->OnPlain(plain);
    if (taken.requests == 0) break;
    at += taken.words;
    requests_ += taken.requests;
    events_ += taken.requests;
  }
  state_.Skip(at);
}

void Merger::EmitStateRecord(const RingRecord& record) {
  switch (record.op) {
    case Op::kThread:
      state_thread_ = static_cast<std::uint32_t>(record.payload);
      return;
    case Op::kFinalise:
      Blank(EventKind::kMark, state_thread_).name = kFinaliseMark;
      return Emit();
    case Op::kMark:
      Blank(EventKind::kMark, state_thread_).name = record.text;
      return Emit();
    case Op::kTypeName:
      return TakeType(record);
    case Op::kSiteName:
      return TakeSite(record);
    case Op::kSite:
      site_ = Site(record.payload);
      return;
    case Op::kArenaAcquire:
    case Op::kArenaRelease:
      return EmitArena(record, state_thread_);
    default:
      EmitRequest(record, state_thread_, 0, site_);
  }
}

// The library counts them up by one.
void Merger::TakeType(const RingRecord& record) {
  if (record.payload != types_.size()) {
    damaged_ = true;
    return;
  }
  types_.push_back(sink_->OnName(NameSpace::kType, record.text));
}

void Merger::TakeSite(const RingRecord& record) {
  const std::uint32_t parent = ring::ParentOf(record.payload);
  if (ring::SiteOf(record.payload) != sites_.size() ||
      parent >= sites_.size()) {
    damaged_ = true;
    return;
  }
  sites_.push_back({std::string(record.text), parent, 0});
}

std::uint32_t Merger::Site(std::uint64_t number) {
  if (number == 0 || number >= sites_.size()) return 0;
  NamedSite& site = sites_[number];
  if (site.number == 0) {
    site.number = sink_->OnName(NameSpace::kSite, SiteName(number));
  }
  return site.number;
}

std::string Merger::SiteName(std::size_t number) const {
  std::string name = sites_[number].frame;
  // A parent's number is less than its own.
  while ((number = sites_[number].parent) != 0) {
    name += kCaller;
    name += sites_[number].frame;
  }
  return name;
}

void Merger::EmitArena(const RingRecord& record, std::uint32_t thread) {
  Event& event =
      Blank(record.op == Op::kArenaAcquire ? EventKind::kArenaAcquire
                                           : EventKind::kArenaRelease,
            thread);
  event.layer = Layer::kObject;
  event.state = record.state;
  event.address = record.payload;
  event.size_bytes = record.size_bytes;
  Emit();
}

void Merger::EmitRequest(const RingRecord& record, std::uint32_t thread,
                         std::uint64_t lag, std::uint32_t site) {
  const unsigned request =
      static_cast<unsigned>(record.op) - static_cast<unsigned>(Op::kRequest);
  Event& event = Blank(static_cast<EventKind>(request % 8), thread);
  event.layer = static_cast<Layer>(request / 8 % 4);
  event.state = record.state;
  event.depth = static_cast<std::uint8_t>(std::min(record.depth, 255u));
  if (event.kind == EventKind::kFree) {
    event.type = Type(record.size_bytes);
  } else {
    event.size_bytes = record.size_bytes;
    event.site = site;
  }
  event.align_bytes = record.align_bytes;
  event.address = record.payload;
  event.old_address = record.old_address;
  event.lag = lag;
  ++requests_;
  Emit();
}

std::uint32_t Merger::DenseThread(std::uint32_t thread) {
  if (thread != last_thread_) {
    last_thread_ = thread;
    const auto next = static_cast<std::uint32_t>(dense_.size());
    last_dense_ = dense_.try_emplace(thread, next).first->second;
  }
  return last_dense_;
}

}  // namespace arenalab
