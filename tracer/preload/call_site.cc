// Call sites: the current frame's code object and the place in it, to a number.
//
//   thread state ─► [C frame ─►] frame ─► code object, and where in it
//                                  └─► the frame that called it, and so on
//
// A site is keyed by (code object, place). When a code object is given up its
// sites are dropped with it: each hangs on a chain that begins at its code.
//
// STACKS. Where they are asked for, a site is a whole stack: keyed by (code
// object, place, the caller's site), so that all stacks together are a tree, of
// which each node is named once. Every event walks all its frames, because a
// frame may be left and entered again, at the same address, between two events;
// but only those that differ from the last event's, counted from the outermost,
// are looked up.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tracer/preload/attribution.h"
#include "tracer/preload/recorder.h"

namespace arenalab::preload {
namespace {

// Offsets in bytes; of what a version does not have, kNone.
constexpr int kNone = -1;
struct Layout {
  int minor;
  int thread_frame;  // in PyThreadState: the frame, or the C frame
  int c_frame;       // in _PyCFrame, the frame
  int code;          // in the frame
  int place;         // in the frame: an int, or a pointer into the code
  int place_unit;    // of the int: bytes of code in 1
  int previous;      // in the frame
  int owner;         // in the frame, a char: kOfC frames have no code
  int bytes;         // in the code object: its instructions, if place points
  int file;          // in the code object
  int function;      // likewise; the qualified name where there is one
};
// SOURCE: offsetof() compiled against the headers of 3.8.18, 3.9.18, 3.10.13,
// 3.11.7, 3.12.1 and 3.13.0: Include/cpython/pystate.h, frameobject.h, code.h,
// Include/internal/pycore_frame.h. Each is checked when it is used first.
constexpr Layout kLayouts[] = {
    {8, 24, kNone, 32, 104, 1, 24, kNone, kNone, 104, 112},
    {9, 24, kNone, 32, 104, 1, 24, kNone, kNone, 104, 112},
    {10, 24, kNone, 32, 96, 2, 24, kNone, kNone, 104, 112},
    {11, 56, 8, 32, 56, 0, 48, kNone, 184, 112, 128},
    {12, 56, 0, 0, 56, 0, 8, 70, 192, 112, 128},
    {13, 72, kNone, 0, 56, 0, 8, 70, 200, 112, 128},
};
constexpr char kOfC = 3;  // FRAME_OWNED_BY_CSTACK

struct Site {
  std::uint64_t code;    // 0: free; kGone: dropped
  std::int32_t place;    // in bytes of code
  std::uint32_t parent;  // the caller's number; 0: none, or not asked for
  std::uint32_t number;
  std::uint32_t next;  // of the same code: index + 1, 0: the last
};
struct Code {
  std::uint64_t address;  // 0: free; kGone: dropped
  std::uint32_t first;    // site: index + 1
};
constexpr std::uint64_t kGone = 1;
constexpr std::size_t kSites = 1 << 15;
constexpr std::size_t kCodes = 1 << 13;

// Of a stack that is deeper, the innermost.
constexpr std::size_t kMostFrames = 256;
struct Frame {
  std::uint64_t code;
  std::int32_t place;
  std::uint32_t number;  // of the stack that ends with it
};

struct Sites {
  const ring::Header* header;  // for which the numbers were given
  std::uint32_t last;          // number
  std::uint32_t current;       // in the stream
  // The last one asked for: mostly the next is the same.
  std::uint64_t last_code;
  std::int32_t last_place;
  std::size_t used_sites;
  std::size_t used_codes;
  // The last stack, outermost first.
  Frame stack[kMostFrames];
  std::size_t depth;
  Site sites[kSites];
  Code codes[kCodes];
};
constinit Sites sites{};
constinit const Layout* layout = nullptr;
// So many times each load is one that cannot fail, and what is found must be a
// code object.
int checks_left = 200;

std::uint64_t Load(std::uint64_t address) {
  if (checks_left == 0) return *reinterpret_cast<std::uint64_t*>(address);
  std::uint64_t word = 0;
  ReadSafely(address, &word, sizeof(word));
  return word;
}

std::uint64_t Mix(std::uint64_t value) { return value * 0x9e3779b97f4a7c15u; }

void Clear() {
  sites.used_sites = sites.used_codes = 0;
  sites.last_code = 0;
  sites.depth = 0;
  memset(sites.sites, 0, sizeof(sites.sites));
  memset(sites.codes, 0, sizeof(sites.codes));
}

bool IsCode(std::uint64_t address) {
  return address % 8 == 0 && address != 0 &&
         Load(address + 8) ==
             reinterpret_cast<std::uint64_t>(objects.code_type);
}

// A character in UTF-8, at `to`; how many bytes.
std::size_t Encode(std::uint32_t c, char* to) {
  if (c < 0x80) {
    // One line, one word: what a terminal would not show is not shown.
    *to = c < ' ' || c == 127 ? '?' : static_cast<char>(c);
    return 1;
  }
  const std::size_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (std::size_t i = bytes; --i > 0; c >>= 6) {
    to[i] = static_cast<char>(0x80 | (c & 0x3f));
  }
  to[0] = static_cast<char>((0xf00 >> bytes) | c);
  return bytes;
}

// The text of a str, up to `most` bytes; of a long one the end. How many.
std::size_t TextOf(std::uint64_t object, char* to, std::size_t most) {
  void* const str = reinterpret_cast<void*>(object);
  if (object == 0 ||
      Load(object + 8) != reinterpret_cast<std::uint64_t>(objects.str_type)) {
    return 0;
  }
  const std::int64_t length = objects.str_length(str);
  const auto wanted = static_cast<std::int64_t>(most);
  std::size_t bytes = 0;
  for (std::int64_t i = length > wanted ? length - wanted : 0;
       i < length && bytes + 4 <= most; ++i) {
    bytes += Encode(objects.str_character(str, i), to + bytes);
  }
  return bytes;
}

// FILE:LINE:FUNCTION
void Name(const Site& site) {
  const std::uint64_t code = site.code;
  const std::int32_t place = site.place;
  char text[ring::kMostTextBytes];
  constexpr std::size_t kFile = 200, kFunction = 100;
  std::size_t bytes = TextOf(
      Load(code + static_cast<std::uint64_t>(layout->file)), text, kFile);
  const int line = objects.line_of(reinterpret_cast<void*>(code), place);
  bytes += static_cast<std::size_t>(
      snprintf(text + bytes, 16, ":%d:", line < 0 ? 0 : line));
  bytes += TextOf(Load(code + static_cast<std::uint64_t>(layout->function)),
                  text + bytes, kFunction);
  AppendText(ring::Op::kSiteName, ring::PackSite(site.number, site.parent),
             text, bytes);
}

Code* CodeSlot(std::uint64_t address) {
  for (std::size_t at = Mix(address >> 4) >> 51;; at = (at + 1) % kCodes) {
    Code* code = &sites.codes[at];
    if (code->address == address || code->address == 0) return code;
  }
}
static_assert(kCodes == 1 << (64 - 51));

std::uint32_t Learn(std::uint64_t code, std::int32_t place,
                    std::uint32_t parent, std::size_t at) {
  // 3.13 has frames of other things: a stack goes on without them.
  if (!IsCode(code) || sites.last == ring::kMostSites) return parent;
  const int saved = errno;
  Code* owner = CodeSlot(code);
  sites.used_codes += owner->address == 0 ? 1 : 0;
  owner->address = code;
  ++sites.used_sites;
  const std::uint32_t number = ++sites.last;
  sites.sites[at] = {code, place, parent, number, owner->first};
  owner->first = static_cast<std::uint32_t>(at + 1);
  Name(sites.sites[at]);
  if (sites.used_sites > kSites * 3 / 4 || sites.used_codes > kCodes * 3 / 4) {
    Clear();  // numbers go on, and a name may come again
  }
  errno = saved;
  return number;
}

std::uint32_t NumberOf(std::uint64_t code, std::int32_t place,
                       std::uint32_t parent) {
  const std::uint64_t key =
      (code >> 4) + (std::uint64_t(place) << 40) + Mix(parent);
  for (std::size_t at = Mix(key) >> 49;; at = (at + 1) % kSites) {
    const Site& site = sites.sites[at];
    if (site.code == code && site.place == place && site.parent == parent) {
      return site.number;
    }
    if (site.code == 0) return Learn(code, place, parent, at);
  }
}
static_assert(kSites == 1 << (64 - 49));

// The first frame of Python from here outwards; 0: there is none.
std::uint64_t OfPython(std::uint64_t frame) {
  while (layout->owner != kNone && frame != 0 &&
         static_cast<char>(
             Load(frame + static_cast<std::uint64_t>(layout->owner)) & 0xff) ==
             kOfC) {
    frame = Load(frame + static_cast<std::uint64_t>(layout->previous));
  }
  return frame;
}

// The innermost frame of Python; 0: there is none.
std::uint64_t CurrentFrame() {
  const auto thread = reinterpret_cast<std::uint64_t>(objects.thread_state());
  if (thread == 0) return 0;
  std::uint64_t frame =
      Load(thread + static_cast<std::uint64_t>(layout->thread_frame));
  if (layout->c_frame != kNone && frame != 0) {
    frame = Load(frame + static_cast<std::uint64_t>(layout->c_frame));
  }
  return OfPython(frame);
}

std::uint64_t CallerOf(std::uint64_t frame) {
  return OfPython(Load(frame + static_cast<std::uint64_t>(layout->previous)));
}

// One of the first frames: if what it runs is no code object the layout is
// another than we know. (3.13 has frames of other objects; those have types.)
void CountCheck(std::uint64_t code) {
  if (IsCode(code)) {
    --checks_left;
    return;
  }
  const std::uint64_t type = code % 8 == 0 && code != 0 ? Load(code + 8) : 0;
  if (type % 8 == 0 && type != 0 &&
      Load(type + 8) == reinterpret_cast<std::uint64_t>(objects.type_type)) {
    return;
  }
  layout = nullptr;
  settings.sites = ring::Reading::kUnknownLayout;
  hot.header->sites.store(settings.sites);
}

// What a frame runs, and where in it.
Frame Read(std::uint64_t frame) {
  const std::uint64_t code =
      Load(frame + static_cast<std::uint64_t>(layout->code));
  const std::uint64_t word =
      Load(frame + static_cast<std::uint64_t>(layout->place));
  const auto place =
      layout->bytes == kNone
          ? static_cast<std::int32_t>(word) * layout->place_unit
          : static_cast<std::int32_t>(
                word - code - static_cast<std::uint64_t>(layout->bytes));
  return {code, place, 0};
}

void Switch(std::uint32_t number) {
  if (number == sites.current) return;
  sites.current = number;
  AppendState(ring::Pack(ring::Op::kSite, number));
}

// The stack that ends with `innermost`, which is at `frame`.
void NoteStack(const Frame& innermost, std::uint64_t frame) {
  Frame frames[kMostFrames];
  frames[0] = innermost;
  std::size_t depth = 1;
  while (depth < kMostFrames && (frame = CallerOf(frame)) != 0) {
    frames[depth++] = Read(frame);
  }
  std::size_t i = 0;
  std::uint32_t number = 0;
  for (; i < depth && i < sites.depth; ++i) {
    const Frame& now = frames[depth - 1 - i];
    const Frame& then = sites.stack[i];
    if (now.code != then.code || now.place != then.place) break;
    number = then.number;
  }
  for (; i < depth; ++i) {
    Frame& now = frames[depth - 1 - i];
    now.number = number = NumberOf(now.code, now.place, number);
    sites.stack[i] = now;
  }
  sites.depth = depth;
  Switch(number);
}

}  // namespace

void BeginSites(int minor) {
  if (settings.sites == ring::Reading::kOff) return;
  for (const Layout& candidate : kLayouts) {
    if (candidate.minor == minor) layout = &candidate;
  }
  if (objects.thread_state == nullptr || objects.code_type == nullptr ||
      objects.str_type == nullptr || objects.str_length == nullptr ||
      objects.str_character == nullptr || objects.line_of == nullptr) {
    layout = nullptr;
  }
  if (layout == nullptr) settings.sites = ring::Reading::kUnknownLayout;
}

void NoteSite() {
  if (layout == nullptr || hot.header == nullptr) return;
  if (sites.header != hot.header) {
    sites.header = hot.header;
    sites.last = sites.current = 0;
    Clear();
  }
  const std::uint64_t frame = CurrentFrame();
  if (frame == 0) return Switch(0);
  const Frame at = Read(frame);
  if (checks_left != 0) {
    CountCheck(at.code);
    if (layout == nullptr) return;
  }
  if (settings.stacks) return NoteStack(at, frame);
  if (at.code == sites.last_code && at.place == sites.last_place) return;
  Switch(NumberOf(at.code, at.place, 0));
  sites.last_code = at.code;
  sites.last_place = at.place;
}

void ForgetCode(const void* block) {
  if (layout == nullptr || sites.header != hot.header) return;
  const auto* words = static_cast<const std::uint64_t*>(block);
  if (words[1] != reinterpret_cast<std::uint64_t>(objects.code_type)) return;
  const auto address = reinterpret_cast<std::uint64_t>(block);
  if (address == sites.last_code) sites.last_code = 0;
  for (std::size_t i = 0; i < sites.depth; ++i) {
    if (sites.stack[i].code == address) sites.depth = i;
  }
  Code* code = CodeSlot(address);
  if (code->address == 0) return;
  for (std::uint32_t at = code->first; at != 0;) {
    Site& site = sites.sites[at - 1];
    site.code = kGone;
    at = site.next;
  }
  code->address = kGone;
}

}  // namespace arenalab::preload
