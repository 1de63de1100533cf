// Stores events into the ring (tracer/ring/ring.h) from inside the traced
// program. The appends at the bottom are the hot path; everything rare is in
// recorder.cc.
//
// ALLOCATES NOTHING, takes no lock, keeps no descriptor, preserves errno and is
// no cancellation point.
//
// FORK. All that says where to write lives in `hot`, memory that the kernel
// wipes in a forked child. A wiped stream has cursor == limit == nullptr, which
// is also what "no room" and "off" look like, so one comparison per event
// covers them all, and children of clone() or _Fork() are noticed too. A vfork
// child shares memory and goes on in its parent's streams, as it should.
//
// THREADS. AppendState only under the interpreter's lock. AppendThread by any
// thread, in its own stream. The rest as said there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracer/event.h"
#include "tracer/ring/ring.h"

namespace arenalab::preload {

#define ARENALAB_UNLIKELY(x) __builtin_expect(!!(x), 0)

// A stream as its writer sees it. `published` of position p is p's distance
// from `bias` in bytes.
struct alignas(64) Stream {
  std::uint64_t* cursor;  // the next word
  std::uint64_t* limit;   // from here on: Prepare first
  std::uint64_t bias;
  std::atomic<std::uint64_t>* published;
  std::uint64_t next_ticket;  // the implied one
  std::uint64_t synced;       // the last kSync
  std::uint64_t* chunk_end;
  std::uint32_t thread;  // state stream: whose event was the last
  // Thread streams: the last kState. The state stream: not 0 once there are
  // interpreters with a pymalloc state, and a lock, of their own.
  std::uint32_t state;
};
static_assert(sizeof(Stream) == 64);

// Wiped in a child.
struct alignas(4096) Hot {
  std::atomic<std::uint32_t> phase;  // Phase
  std::atomic<std::uint32_t> threads;
  ring::Header* header;
  Stream state;
  Stream streams[ring::kStreams];  // [0] is not used
};
extern Hot hot;

enum class Decision : std::uint8_t { kNotYet = 0, kRecord, kPassThrough };

// Kept in a child, except by the fork handler.
struct Settings {
  Decision decision;  // of the constructor
  bool enabled;       // it was kRecord, and the collector lives
  bool layers;        // record nested events too
  bool many_states;   // see BeginManyStates
  bool starting;      // a 3.6 or 3.7 that is not initialised yet
  bool dumps;         // the hooks take dumps: see TellFinalising
  bool lossy;         // a full ring drops events instead of waiting
  bool alone;         // children are not recorded
  bool window;        // the recording begins at a mark
  bool watches;       // the hooks do, or attribute
  bool threaded;      // pthread_create was called: set before the thread exists
  ring::Reading types;  // of objects that are given up: asked for, and can be
  ring::Reading sites;  // likewise, of call sites
  bool stacks;          // and a call site is a whole stack
  int collector;        // process id, 0 where unknown
  char directory[256];
  char ring_name[64];  // this process's, or after fork still the parent's
  std::atomic<std::uint32_t> forks;
  const char* python;  // Py_GetVersion()
  char allocator[32];
  std::atomic<std::uint64_t> counted;  // kCountOnly
};
extern Settings settings;

struct ThreadLocal {
  Stream* stream;
  std::uint32_t depth;   // real calls that this thread is inside of
  std::uint32_t thread;  // 0: has none yet
  std::uint64_t fork;    // in a child: the number of the fork that made it
  bool refused;          // no stream was free for it: its events are lost
};
extern __thread ThreadLocal local __attribute__((tls_model("initial-exec")));

// libarenalab_count.so, against which the tracer's cost is measured: the same
// hooks, which count and store nothing (tools/study/tracer_cost.py).
#ifdef ARENALAB_COUNT_ONLY
inline constexpr bool kCountOnly = true;
#else
inline constexpr bool kCountOnly = false;
#endif

// A tracer that is wrong on purpose: a realloc takes one ticket, after the real
// call. tests/tracer/preload/record_test.py shows that lint finds it out.
#ifdef ARENALAB_ONE_TICKET
inline constexpr bool kOneTicket = true;
#else
inline constexpr bool kOneTicket = false;
#endif

// A depth from which on not even nested events are recorded.
inline constexpr std::uint32_t kMuted = 1u << 30;

// Makes the stream ready for one record of at most kReserveWords: a ring, a
// chunk, the thread's number. Waits for the collector where no chunk is free.
// False (nullptr) where nothing is to be recorded. `first`: the record's first
// word, where it is a request's.
bool PrepareState(std::uint64_t first = 0);
Stream* PrepareThread();

// An interpreter with a pymalloc state of its own (3.12's isolated ones) does
// not hold the lock that guards the state stream. Once there is one, every
// event asks which interpreter makes it, and those of the others' states go
// into their threads' streams, in ticket order, with the state's number.
void BeginManyStates();
// True where the event was one of those, and is stored.
bool AppendToOtherState(std::uint64_t first, const struct Rest& rest);

// Makes this process's ring if it has none. For the constructor: the prepare
// functions do it by themselves.
bool EnsureRing();
// A text record of the state stream.
void AppendText(ring::Op op, std::uint64_t payload, const char* text,
                std::size_t bytes);
// A mark, under the interpreter's lock. False where none was made.
bool AppendMark(const char* name);
// Called once per kCheckEvery words of the state stream, and by arena hooks.
void CheckFinalising();
// Writes the mark if the interpreter has begun to go down; true once. Where
// dumps are taken, the hooks call it behind each event, so that the mark stands
// exactly where its dump was taken, and CheckFinalising() does nothing.
bool TellFinalising();
// For the prepare and child handlers of fork.
void BeforeFork();
void AfterForkInChild();

// The linker and other constructors allocate before ours has run: those few
// events wait, and are recorded (or forgotten) when it has decided.
struct Rest;
void KeepEarly(std::uint64_t first, const Rest& rest);
void RecordEarly();

inline bool Records() {
  return local.depth == 0 || (settings.layers && local.depth < kMuted);
}

inline void Publish(Stream* stream, std::uint64_t* cursor) {
  stream->cursor = cursor;
  stream->published->store(
      reinterpret_cast<std::uint64_t>(cursor) - stream->bias,
      std::memory_order_release);
}

// What follows the first word of a request, in the record's order.
struct Rest {
  std::size_t wide_size = 0;  // used where the first word's size is kWideSize
  std::uint64_t align = 0;
  bool has_old = false;
  std::uint64_t old = 0;
};

inline std::uint64_t* PutRest(std::uint64_t* word, std::uint64_t first,
                              const Rest& rest) {
  if (ARENALAB_UNLIKELY(ring::SizeOf(first) == ring::kWideSize)) {
    *word++ = rest.wide_size;
  }
  if (rest.align != 0) *word++ = rest.align;
  if (rest.has_old) *word++ = rest.old;
  return word;
}

inline void AppendState(std::uint64_t first, const Rest& rest = {}) {
  Stream& stream = hot.state;
  if (ARENALAB_UNLIKELY(stream.state != 0) && AppendToOtherState(first, rest)) {
    return;
  }
  if (ARENALAB_UNLIKELY(stream.cursor >= stream.limit ||
                        stream.thread != local.thread)) {
    if (!PrepareState(first)) return;
  }
  std::uint64_t* word = stream.cursor;
  if (ARENALAB_UNLIKELY(local.depth != 0)) {
    *word++ = ring::Pack(ring::Op::kDepth, local.depth);
  }
  *word++ = first;
  Publish(&stream, PutRest(word, first, rest));
}

inline std::uint64_t TakeTicket() {
  std::atomic<std::uint64_t>& ticket = hot.header->ticket;
  if (settings.threaded) return ticket.fetch_add(1);
  const std::uint64_t mine = ticket.load(std::memory_order_relaxed);
  ticket.store(mine + 1, std::memory_order_release);
  return mine;
}

// Room first, then the state stream's position, then the ticket: see ring.h.
// (Waiting for room with a ticket in hand would stop the collector, which waits
// for that ticket, from making any.)
inline void AppendThread(std::uint64_t first, const Rest& rest = {},
                         std::uint32_t state = 0) {
  Stream* stream = local.stream;
  if (ARENALAB_UNLIKELY(stream == nullptr || stream->cursor >= stream->limit)) {
    stream = PrepareThread();
    if (stream == nullptr) {
      if (settings.decision == Decision::kNotYet) KeepEarly(first, rest);
      return;
    }
  }
  std::uint64_t* word = stream->cursor;
  const std::uint64_t position =
      hot.header->streams[ring::kStateStream].published.load(
          std::memory_order_acquire);
  if (position != stream->synced) {
    stream->synced = position;
    *word++ = ring::Pack(ring::Op::kSync, position);
  }
  const std::uint64_t ticket = TakeTicket();
  if (ticket != stream->next_ticket) {
    *word++ = ring::Pack(ring::Op::kTicket, ticket);
  }
  stream->next_ticket = ticket + 1;
  if (ARENALAB_UNLIKELY(state != stream->state)) {
    stream->state = state;
    *word++ = ring::Pack(ring::Op::kState, state);
  }
  if (ARENALAB_UNLIKELY(local.depth != 0)) {
    *word++ = ring::Pack(ring::Op::kDepth, local.depth);
  }
  *word++ = first;
  Publish(stream, PutRest(word, first, rest));
}

// As few instructions as can count: the lock guards Python's own, one thread
// needs none.
template <Layer kLayer>
inline void Count() {
  const bool locked = kLayer == Layer::kMem || kLayer == Layer::kObject;
  if (settings.threaded && !locked) {
    settings.counted.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  settings.counted.store(settings.counted.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
}

template <Layer kLayer>
inline void Append(std::uint64_t first, const Rest& rest = {}) {
  if constexpr (kCountOnly) return Count<kLayer>();
  if constexpr (kLayer == Layer::kMem || kLayer == Layer::kObject) {
    AppendState(first, rest);
  } else {
    AppendThread(first, rest);
  }
}

// The events, by what happened. `block` is not null.
template <Layer kLayer, EventKind kKind>
inline std::uint64_t FirstWord(const void* block, std::size_t size) {
  return ring::Pack(ring::RequestOp(static_cast<unsigned>(kLayer),
                                    static_cast<unsigned>(kKind)),
                    reinterpret_cast<std::uint64_t>(block),
                    size < ring::kWideSize ? size : ring::kWideSize);
}
template <Layer kLayer, EventKind kKind>
inline void RecordBlock(const void* block, std::size_t size) {
  Append<kLayer>(FirstWord<kLayer, kKind>(block, size), {.wide_size = size});
}
template <Layer kLayer>
inline void RecordAligned(const void* block, std::size_t size,
                          std::size_t align) {
  Append<kLayer>(FirstWord<kLayer, EventKind::kAligned>(block, size),
                 {.wide_size = size, .align = align});
}
// Before the real call. `type` is the number of the object's, 0: not known.
template <Layer kLayer>
inline void RecordFree(const void* block, std::uint32_t type = 0) {
  Append<kLayer>(FirstWord<kLayer, EventKind::kFree>(block, type),
                 {.wide_size = type});
}
// Before the real call of a realloc of a block, and after it.
// Under the lock of the only interpreter nobody can be handed the old block.
template <Layer kLayer>
inline void RecordRelease() {
  constexpr bool kLocked = kLayer == Layer::kMem || kLayer == Layer::kObject;
  if (kCountOnly || kOneTicket || !settings.threaded ||
      (kLocked && hot.state.state == 0)) {
    return;
  }
  const std::uint64_t word = ring::Pack(ring::Op::kRelease, local.depth);
  if (!kLocked) {
    AppendThread(word);
  } else {
    AppendToOtherState(word, {});
  }
}
template <Layer kLayer>
inline void RecordRealloc(const void* old, const void* block,
                          std::size_t size) {
  Append<kLayer>(FirstWord<kLayer, EventKind::kRealloc>(block, size),
                 {.wide_size = size,
                  .has_old = true,
                  .old = reinterpret_cast<std::uint64_t>(old)});
}

}  // namespace arenalab::preload
