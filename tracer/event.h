// One event of a trace, as every reader sees it after decoding. Its bytes are
// TRACE_FORMAT.md's; the order of the file is the order of the events.
//
// LAYERS AND DEPTH. One request passes several layers: PyObject_Malloc(9000)
// ends in malloc(9000) at the same address. depth 0 is what the program asked
// for; depth > 0 was made while serving another event. Replay, lint and every
// metric use depth 0 only, or memory would be counted twice.
//
// IDENTITY. An object is (space, address, birth), where the spaces are mem and
// obj together, raw, libc, and arenas: an address is live at most once in each;
// reuse after a free is a new object. ObjectTable gives each a dense number.
// (CPython, when it starts and ends, takes the raw domain's allocator away for
// moments: a block made in raw may be given up in libc, and the other way.)
//
// REALLOC. One event, two places in the order: the old address is given up when
// the real call begins, the new one is owned when it has returned. The event
// stands where the new one is owned; `lag` says how many requests earlier the
// old address was up for reuse (0 unless other threads were at work between).
//
// TYPES AND CALL SITES are numbers of names (TraceReader::Name), 0 where not
// known. A call site is of the request that asks. A type is of an object, and
// known when it is given up, so it stands on the free; or, of what lives on, on
// a kHeld: the mem or obj block live at `address` holds an object of `type` and
// `owner`, if it was live `lag` requests earlier too. In a trace written by
// hand a type may stand on the request that makes the object as well.
//
// WORKED EXAMPLE. `a = malloc(24); a = realloc(a, 100); free(a)` in libc:
//
//   kind      layer  size  address  old_address
//   kAlloc    kLibc    24   0x5000            -
//   kRealloc  kLibc   100   0x7340       0x5000
//   kFree     kLibc     -   0x7340            -
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arenalab {

enum class EventKind : std::uint8_t {
  // Requests. They are numbered from 0 (Event::request) over the whole trace.
  kAlloc = 0,
  kZeroed = 1,
  kAligned = 2,
  kRealloc = 3,
  kFree = 4,
  // Not requests.
  kArenaAcquire = 5,  // the arena allocator was asked: address, size_bytes
  kArenaRelease = 6,  // address, size_bytes
  kMark = 7,          // name
  kFork = 8,          // name: the child's process id; number: nth fork, from 0
  kMemory = 9,        // rss_bytes of the process, read by the collector
  kHeld = 10,         // what lives at `address`, see below
};

constexpr bool IsRequest(EventKind kind) { return kind <= EventKind::kFree; }

// Python's three domains and the C library. Arena events carry kObject.
enum class Layer : std::uint8_t { kRaw = 0, kMem = 1, kObject = 2, kLibc = 3 };

// Who keeps the object of a kHeld alive.
enum class Owner : std::uint8_t {
  kProgram,   // somebody holds a reference
  kFreeList,  // dead, and kept by the interpreter: no reference
  kImmortal,  // immortal, or an interned string
  kUnknown,   // no object, or none that can be told
};
inline constexpr std::size_t kOwners = 4;

enum class NameSpace : std::uint8_t { kType = 0, kSite = 1 };

// The name that ends the program's own work: the interpreter begins to go down.
inline constexpr std::string_view kFinaliseMark = "finalise";

struct Event {
  EventKind kind{};
  Layer layer{};
  std::uint8_t depth = 0;
  std::uint32_t thread = 0;  // dense, in order of first appearance
  std::uint32_t state = 0;   // pymalloc state: interpreter id, or 0
  std::uint64_t request =
      0;  // ordinal of this request; for others, of the next
  std::uint64_t size_bytes = 0;   // as asked for, never rounded
  std::uint64_t align_bytes = 0;  // kAligned only
  std::uint64_t address = 0;      // block returned; kFree: block given up
  std::uint64_t old_address = 0;  // kRealloc of a block only; 0: realloc(NULL)
  std::uint64_t lag = 0;          // kRealloc and kHeld only, see above
  std::uint64_t time_ns = 0;      // since the recording began; a lower bound
  std::uint64_t number = 0;       // kFork
  std::uint64_t rss_bytes = 0;    // kMemory
  std::uint32_t type = 0;
  std::uint32_t site = 0;         // requests but kFree
  Owner owner = Owner::kUnknown;  // kHeld
  std::string_view name;          // kMark, kFork; valid until the next read
};

}  // namespace arenalab
