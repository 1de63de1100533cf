// The shared memory between a traced program and the collector: one file per
// process, mapped by both. The preload library writes events as 8-byte words;
// the collector drains them, orders them and writes the trace.
//
//   | Header (kHeaderBytes)               | chunk 0 | chunk 1 | ...          |
//   | identity, ticket, free stack,       |  4096 words each                 |
//   | StreamSlot[kStreams], texts         |                                  |
//
// A STREAM is written by one thread at a time and read by the collector. It
// owns a chain of chunks; its `published` is the position (in bytes since the
// stream began) behind its last whole record, stored with release after the
// record, so a process that is killed loses no record it has published. A
// record never crosses a chunk's end: where fewer than kReserveWords are left,
// the word kNext names the next chunk and the position goes on at the next
// multiple of kChunkBytes. The collector gives a chunk back when it has read
// its kNext.
//
//   word:  63............16 15.......6 5....0
//          payload (48)     size (10)  op (6)
//
//   record := [kSync] [kTicket] [kState] [kDepth] request [wide size] [align]
//             [old]
//           | kTypeName text | kSiteName text | kMark text
//
// A TEXT is size-field bytes, in words of 8. A type or a call site is named
// once, before the first record that has its number; numbers count up from 1.
// A free's size field holds the type's number, 0 where it is not known.
//
// STREAMS AND ORDER. Slot 0 is the state stream: mem and obj events, arenas and
// the finalise mark, all made under the interpreter's lock: their order is the
// stream's. Every other slot belongs to one thread and holds its raw and libc
// events; each takes a ticket from Header::ticket (implied where it is the
// stream's last + 1), and ticket order is their order. kSync (written when it
// changed) is the state stream's position that the thread saw just BEFORE it
// took the ticket: the event stands after everything up to there. That order
// of the two reads keeps every thread's program order across both streams.
//
// Interpreters with a pymalloc state, and a lock, of their own (3.12) write
// their mem, obj and arena events into their threads' streams, under kState.
//
// A realloc in a thread stream takes two tickets while there are threads: one
// in a kRelease record before the real call, one for itself after it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace arenalab::ring {

inline constexpr std::uint64_t kMagic = 0x31676e6972616c61;  // "alaring1"
inline constexpr std::size_t kRingBytes = 32u << 20;
inline constexpr std::size_t kChunkBytes = 32u << 10;
inline constexpr std::size_t kChunkWords = kChunkBytes / 8;
inline constexpr std::size_t kHeaderBytes = 4 * kChunkBytes;
inline constexpr std::size_t kChunks =
    (kRingBytes - kHeaderBytes) / kChunkBytes;
// Live threads that can record at once, the state stream included. Every one
// holds a chunk, so there must be more chunks than slots.
inline constexpr std::size_t kStreams = 768;
static_assert(kStreams + 128 < kChunks);
// The longest record: a text; or sync, ticket, state, depth, request, wide
// size, and align or old.
inline constexpr std::size_t kMostTextBytes = 320;
inline constexpr std::size_t kReserveWords = 1 + kMostTextBytes / 8;
static_assert(kReserveWords >= 8);
inline constexpr std::uint32_t kNoChunk = 0xffffffff;
// A ring begins with so many chunks; the collector lets it have more
// (chunk_budget.h), so that all rings of a run together stay small.
inline constexpr std::uint32_t kFirstChunks = 32;
inline constexpr std::uint64_t kWideSize = 1023;

enum class Op : std::uint8_t {
  kNone = 0,     // never written: reading it means damage
  kNext = 1,     // payload: the chunk in which the stream goes on
  kThread = 2,   // state stream; payload: the thread of what follows
  kTicket = 3,   // payload: the ticket of the next ticketed record
  kSync = 4,     // payload: position in the state stream, see above
  kDepth = 5,    // payload: depth of the next request
  kRelease = 6,  // takes a ticket: a realloc's real call begins; payload: depth
  kFork = 7,     // takes a ticket; payload: number of the fork, from 0
  kFinalise = 8,       // state stream: the interpreter begins to go down
  kArenaAcquire = 9,   // state stream; payload: base; next word: size
  kArenaRelease = 10,  // likewise
  kState = 11,  // thread streams; payload: the state of what follows, 0 first
  kTypeName = 12,  // state stream; payload: a type's number; text: its name
  kSiteName = 13,  // likewise, of a call site, PackSite: FILE:LINE:FUNCTION
  kSite = 14,  // state stream; payload: the call site of what follows, 0 first
  kMark = 15,  // state stream; text: its name
  kRequest = 16,  // + layer * 8 + kind (event.h); payload: the address
};

constexpr std::uint64_t Pack(Op op, std::uint64_t payload,
                             std::uint64_t size = 0) {
  return payload << 16 | size << 6 | static_cast<std::uint64_t>(op);
}
// A call site that is a stack has the number of its caller's; 0: it has none.
inline constexpr std::uint32_t kMostSites = (1u << 24) - 1;
constexpr std::uint64_t PackSite(std::uint32_t number, std::uint32_t parent) {
  return std::uint64_t{parent} << 24 | number;
}
constexpr std::uint32_t SiteOf(std::uint64_t payload) {
  return payload & kMostSites;
}
constexpr std::uint32_t ParentOf(std::uint64_t payload) {
  return payload >> 24 & kMostSites;
}
constexpr Op OpOf(std::uint64_t word) { return static_cast<Op>(word & 63); }
constexpr std::uint64_t SizeOf(std::uint64_t word) { return word >> 6 & 1023; }
constexpr std::uint64_t PayloadOf(std::uint64_t word) { return word >> 16; }
constexpr Op RequestOp(unsigned layer, unsigned kind) {
  return static_cast<Op>(static_cast<unsigned>(Op::kRequest) + layer * 8 +
                         kind);
}
static_assert(static_cast<unsigned>(RequestOp(3, 7)) < 64);
static_assert(kMostTextBytes < kWideSize);
static_assert(PayloadOf(Pack(Op::kNext, (1ull << 48) - 1)) == (1ull << 48) - 1);

enum class SlotState : std::uint32_t { kFree = 0, kClaimed = 1, kInUse = 2 };

// One stream as both sides see it. The thread claims a free slot, fills it and
// stores kInUse; the collector frees it once the thread has ended and the
// stream is drained.
struct alignas(64) StreamSlot {
  std::atomic<std::uint64_t> published;  // bytes
  std::atomic<SlotState> state;
  std::uint32_t first_chunk;
  std::uint32_t thread;    // the library's own number, from 1
  std::int32_t kernel_id;  // gettid(), as the process sees it
};
static_assert(sizeof(StreamSlot) == 64);

// What _PyObject_DebugMallocStats printed right behind one event of state 0.
struct Dump {
  std::uint64_t event;               // mem and obj events before it
  std::atomic<std::uint32_t> bytes;  // of text; != 0 once it is whole
  char text[6 << 10];
};
inline constexpr std::size_t kDumps = 8;

inline constexpr std::uint64_t kAtFinalise = ~0ull;  // a Dump's event

// What the hooks read of objects and frames, where asked to.
enum class Reading : std::uint32_t {
  kOff = 0,
  kWorks = 1,
  kUnknownLayout = 2,  // of this version's objects: nothing is attributed
};
// Where the collector offers it the program stands at its finalise mark until
// the collector has looked at what lives.
enum class Census : std::uint32_t {
  kNone = 0,
  kOffered = 1,
  kWanted = 2,
  kTaken = 3
};

// Where a window of the recording begins, the program stands still until the
// collector has read its heap: before it gives up a block of the state stream,
// or behind a mark of its own, so that what has been recorded has been done,
// and nothing else.
enum class Hold : std::uint32_t {
  kNone = 0,
  kAtMarks = 1,   // it stands at each mark: one of them begins the window
  kWanted = 2,    // it stands before the next block that is given up
  kStanding = 3,  // it does
};

struct Header {
  std::uint64_t magic;
  std::uint64_t started_ns;     // CLOCK_MONOTONIC
  std::int64_t started_unix;    // seconds
  std::int32_t process;         // getpid(), as the process sees it
  std::uint32_t layers;         // 1: nested events are recorded too
  std::uint32_t lossy;          // 1: a full ring drops events, nobody waits
  std::uint32_t stacks;         // 1: a call site is a whole stack
  std::int32_t parent_process;  // getppid()
  // /proc/self/cmdline when the ring was made: a short process may be gone
  // before the collector looks.
  std::uint32_t command_bytes;
  char command[4 << 10];
  // Of a forked child: its parent's ring file and the number of the fork;
  // kUnknownFork where it was made by a call that runs no fork handlers.
  char parent[64];
  std::uint64_t parent_fork;

  alignas(64) std::atomic<std::uint64_t> ticket;       // the next to be taken
  alignas(64) std::atomic<std::uint64_t> free_chunks;  // tag:32 | chunk:32
  std::atomic<std::uint32_t> fresh_chunks;  // those from here on: never used
  std::atomic<std::uint32_t>
      chunk_limit;  // those from here on: not allowed yet
  alignas(64) std::atomic<std::uint64_t> heartbeat;  // collector's round number
  // Set by the collector where it cannot read on: the program stops recording.
  std::atomic<std::uint32_t> closed;
  alignas(64) std::atomic<std::uint64_t> lost_events;
  std::atomic<std::uint64_t> waited_ns;   // the program waited for a chunk
  std::atomic<std::uint64_t> lost_hooks;  // times that our hooks were gone
  // 1: another tool's allocators were seen above ours, which they call.
  std::atomic<std::uint32_t> tool_above;
  std::atomic<Reading> types;
  std::atomic<Reading> sites;
  std::atomic<Census> census;
  std::atomic<Hold> hold;
  std::atomic<std::uint32_t> text_ready;  // python, allocator: may be read
  char python[128];                       // Py_GetVersion()
  char allocator[32];  // the interpreter's own name of what is beneath us
  // _PyObject_DebugMallocStats at the first arena; `statistics_bytes` != 0 once
  // it is whole.
  std::atomic<std::uint32_t> statistics_bytes;
  char statistics[12 << 10];
  Dump dumps[kDumps];  // kStatsAtVariable; those not taken are all zero

  std::uint32_t next_free[kChunks];       // links of the free stack
  std::atomic<std::uint32_t> slot_limit;  // slots from here on: never used
  StreamSlot streams[kStreams];
};
static_assert(sizeof(Header) <= kHeaderBytes);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::uint64_t kUnknownFork = ~0ull;
inline constexpr std::size_t kStateStream = 0;

inline std::uint64_t* ChunkWords(Header* header, std::size_t chunk) {
  return reinterpret_cast<std::uint64_t*>(reinterpret_cast<char*>(header) +
                                          kHeaderBytes + chunk * kChunkBytes);
}

// The environment of a recording.
inline constexpr char kRunVariable[] = "ARENALAB_RUN";        // the directory
inline constexpr char kLayersVariable[] = "ARENALAB_LAYERS";  // "1"
inline constexpr char kLossyVariable[] = "ARENALAB_LOSSY";    // "1"
inline constexpr char kCollectorVariable[] = "ARENALAB_COLLECTOR";  // its pid
inline constexpr char kTypesVariable[] = "ARENALAB_TYPES";          // "1"
inline constexpr char kSitesVariable[] = "ARENALAB_SITES";          // "1"
inline constexpr char kStacksVariable[] = "ARENALAB_STACKS";        // "1"
inline constexpr char kWindowVariable[] = "ARENALAB_WINDOW";  // "1": kAtMarks
// "1": only the first process with an interpreter. Its number is what the
// symbolic link kMainLink in the run's directory says.
inline constexpr char kAloneVariable[] = "ARENALAB_ALONE";
inline constexpr char kMainLink[] = "main";
// Which dumps to take: ordinals of the mem and obj events of state 0 at depth
// 0, from 0, and the word `finalise`, with commas between.
inline constexpr char kStatsAtVariable[] = "ARENALAB_STATS_AT";
inline constexpr char kRingSuffix[] = ".ring";
// PID-ANYTHING.mark in the run's directory: a mark from outside; its name is
// the file's content. The collector removes it when it has made it.
inline constexpr char kMarkSuffix[] = ".mark";

}  // namespace arenalab::ring
