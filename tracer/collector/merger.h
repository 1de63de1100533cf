// Puts the streams of one process's ring into one order, the order of the
// trace (ring.h says what the streams hold).
//
// A ROUND has a target: the state stream's published position C, read first,
// then the next ticket T0. Thread events with tickets below T0 are emitted in
// ticket order, each after the state events up to its sync; then the state
// events up to C. An event that a thread has in hand when T0 is read (ticket
// taken, record not published) is a gap: the round stops there and goes on with
// the same target next time.
//
// WHY THIS KEEPS PROGRAM ORDER. A state event at or before C that follows a
// thread event of the same thread: that one's ticket was taken before C was
// published, so it is below T0 and comes first. A thread event that follows a
// state event: its sync covers it. And a ticket's sync is read before the
// ticket is taken, so no lower ticket can pull in state events that a thread
// made after a higher one.
//
// THREADS. The collector's only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tracer/collector/stream_reader.h"
#include "tracer/event.h"
#include "tracer/plain_requests.h"
#include "tracer/ring/chunk_stack.h"
#include "tracer/ring/ring.h"

namespace arenalab {

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const Event& event) = 0;
  // The plain requests with which a row begins; none: they come by OnEvent.
  virtual PlainTaken OnPlain(const PlainRequests&) { return {}; }
  // A type or a call site that events may have from now on; the number that
  // they have then. The same name may come again.
  virtual std::uint32_t OnName(NameSpace space, std::string_view name) = 0;
};

class Merger {
 public:
  // `header` and `sink` must outlive it.
  Merger(ring::Header* header, EventSink* sink);

  // Emits what has been published, in order. Every event is stamped `time_ns`,
  // which must be a time before the last call of Drain().
  // `ended`: the process is gone, nothing more will be published; gaps are
  // passed over. True if something was emitted.
  bool Drain(std::uint64_t time_ns, bool ended);

  // Gives back the slots and chunks of threads that have ended.
  // `is_alive(kernel_id)`.
  template <typename IsAlive>
  void ReleaseEndedThreads(IsAlive is_alive);

  // Threads that hold a slot.
  std::size_t threads() const { return threads_.size(); }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t events() const { return events_; }
  bool damaged() const { return damaged_; }
  // Whether everything in the state stream has been emitted.
  bool state_drained() const { return state_.position() >= state_.Published(); }

 private:
  struct ThreadStream {
    explicit ThreadStream(ring::Header* header, std::size_t slot_number)
        : reader(header, slot_number),
          slot(slot_number),
          thread(header->streams[slot_number].thread) {}
    StreamReader reader;
    std::size_t slot;
    std::uint32_t thread;
    bool has_head = false;
    RingRecord head;
    // Requests emitted when the realloc under way at each depth gave up its
    // block.
    std::vector<std::uint64_t> released;
  };

  void FindStreams();
  bool LoadHead(ThreadStream* stream);
  ThreadStream* StreamOfTicket(std::uint64_t ticket);
  bool MergeThreads(bool ended);
  void EmitThreadRecord(ThreadStream* stream);
  void EmitState(std::uint64_t limit);
  void EmitPlainRequests(std::uint64_t limit);
  void EmitStateRecord(const RingRecord& record);
  void EmitArena(const RingRecord& record, std::uint32_t thread);
  void EmitRequest(const RingRecord& record, std::uint32_t thread,
                   std::uint64_t lag, std::uint32_t site);
  // Sends `event_`, which the caller has filled.
  void Emit() {
    ++events_;
    sink_->OnEvent(event_);
  }
  // `event_` with nothing in it but the thread and the time.
  Event& Blank(EventKind kind, std::uint32_t thread) {
    event_ = {};
    event_.kind = kind;
    event_.thread = DenseThread(thread);
    event_.time_ns = time_ns_;
    event_.request = requests_;
    return event_;
  }
  std::uint32_t DenseThread(std::uint32_t thread);
  void TakeType(const RingRecord& record);
  void TakeSite(const RingRecord& record);
  // The sink's number of a type that the library named.
  std::uint32_t Type(std::uint64_t number) const {
    return number < types_.size() ? types_[number] : 0;
  }
  // Likewise of a call site, which the sink gets to know when it is first used:
  // of a stack that is each of its frames with all that called it, in one name,
  // and most are never one that asks for memory.
  std::uint32_t Site(std::uint64_t number);
  std::string SiteName(std::size_t number) const;

  ring::Header* header_;
  EventSink* sink_;
  StreamReader state_;
  std::vector<std::unique_ptr<ThreadStream>> threads_;
  std::vector<bool> known_slots_;
  ThreadStream* current_ = nullptr;
  std::uint64_t next_ticket_ = 0;
  // The round's target.
  bool pending_ = false;
  std::uint64_t target_state_ = 0;
  std::uint64_t target_ticket_ = 0;

  Event event_;  // one for all: clearing it is a good part of the work
  std::uint64_t time_ns_ = 0;
  std::uint32_t state_thread_ = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> dense_;
  // By the library's number, from 1.
  std::vector<std::uint32_t> types_ = {0};
  struct NamedSite {
    std::string frame;
    std::uint32_t parent;
    std::uint32_t number;  // the sink's; 0: none yet
  };
  std::vector<NamedSite> sites_ = {{}};
  std::uint32_t site_ = 0;         // the sink's number, of the state stream
  std::uint32_t last_thread_ = 0;  // the library's number, from 1
  std::uint32_t last_dense_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t events_ = 0;
  bool damaged_ = false;
};

template <typename IsAlive>
void Merger::ReleaseEndedThreads(IsAlive is_alive) {
  std::erase_if(threads_, [&](const std::unique_ptr<ThreadStream>& stream) {
    ring::StreamSlot& slot = header_->streams[stream->slot];
    // Life first: what a living thread publishes next must not be missed.
    if (is_alive(slot.kernel_id) || stream->has_head ||
        stream->reader.position() != stream->reader.Published()) {
      return false;
    }
    ring::GiveChunk(header_, stream->reader.chunk());
    known_slots_[stream->slot] = false;
    if (current_ == stream.get()) current_ = nullptr;
    slot.state.store(ring::SlotState::kFree, std::memory_order_release);
    return true;
  });
}

}  // namespace arenalab
