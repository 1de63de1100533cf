// Call sites: the current frame's code object and the place in it, to a number.
//
//   thread state ─► [C frame ─►] frame ─► code object, and where in it
//
// A site is keyed by (code object, place). When a code object is given up its
// sites are dropped with it: each hangs on a chain that begins at its code.
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
    {8, 24, kNone, 32, 104, 1, kNone, kNone, kNone, 104, 112},
    {9, 24, kNone, 32, 104, 1, kNone, kNone, kNone, 104, 112},
    {10, 24, kNone, 32, 96, 2, kNone, kNone, kNone, 104, 112},
    {11, 56, 8, 32, 56, 0, kNone, kNone, 184, 112, 128},
    {12, 56, 0, 0, 56, 0, 8, 70, 192, 112, 128},
    {13, 72, kNone, 0, 56, 0, 8, 70, 200, 112, 128},
};
constexpr char kOfC = 3;  // FRAME_OWNED_BY_CSTACK

struct Site {
  std::uint64_t code;  // 0: free; kGone: dropped
  std::int32_t place;  // in bytes of code
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

struct Sites {
  const ring::Header* header;  // for which the numbers were given
  std::uint32_t last;          // number
  std::uint32_t current;       // in the stream
  // The last one asked for: mostly the next is the same.
  std::uint64_t last_code;
  std::int32_t last_place;
  std::size_t used_sites;
  std::size_t used_codes;
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
void Name(std::uint64_t code, std::int32_t place, std::uint32_t number) {
  char text[ring::kMostTextBytes];
  constexpr std::size_t kFile = 200, kFunction = 100;
  std::size_t bytes = TextOf(
      Load(code + static_cast<std::uint64_t>(layout->file)), text, kFile);
  const int line = objects.line_of(reinterpret_cast<void*>(code), place);
  bytes += static_cast<std::size_t>(
      snprintf(text + bytes, 16, ":%d:", line < 0 ? 0 : line));
  bytes += TextOf(Load(code + static_cast<std::uint64_t>(layout->function)),
                  text + bytes, kFunction);
  AppendText(ring::Op::kSiteName, number, text, bytes);
}

Code* CodeSlot(std::uint64_t address) {
  for (std::size_t at = Mix(address >> 4) >> 51;; at = (at + 1) % kCodes) {
    Code* code = &sites.codes[at];
    if (code->address == address || code->address == 0) return code;
  }
}
static_assert(kCodes == 1 << (64 - 51));

std::uint32_t Learn(std::uint64_t code, std::int32_t place, std::size_t at) {
  if (!IsCode(code)) return 0;  // 3.13 has frames of other things
  const int saved = errno;
  Code* owner = CodeSlot(code);
  sites.used_codes += owner->address == 0 ? 1 : 0;
  owner->address = code;
  ++sites.used_sites;
  const std::uint32_t number = ++sites.last;
  sites.sites[at] = {code, place, number, owner->first};
  owner->first = static_cast<std::uint32_t>(at + 1);
  Name(code, place, number);
  if (sites.used_sites > kSites * 3 / 4 || sites.used_codes > kCodes * 3 / 4) {
    Clear();  // numbers go on, and a name may come again
  }
  errno = saved;
  return number;
}

std::uint32_t NumberOf(std::uint64_t code, std::int32_t place) {
  const std::uint64_t key = (code >> 4) + (std::uint64_t(place) << 40);
  for (std::size_t at = Mix(key) >> 49;; at = (at + 1) % kSites) {
    const Site& site = sites.sites[at];
    if (site.code == code && site.place == place) return site.number;
    if (site.code == 0) return Learn(code, place, at);
  }
}
static_assert(kSites == 1 << (64 - 49));

// The innermost frame of Python; 0: there is none.
std::uint64_t CurrentFrame() {
  const auto thread = reinterpret_cast<std::uint64_t>(objects.thread_state());
  if (thread == 0) return 0;
  std::uint64_t frame =
      Load(thread + static_cast<std::uint64_t>(layout->thread_frame));
  if (layout->c_frame != kNone && frame != 0) {
    frame = Load(frame + static_cast<std::uint64_t>(layout->c_frame));
  }
  while (layout->owner != kNone && frame != 0 &&
         static_cast<char>(
             Load(frame + static_cast<std::uint64_t>(layout->owner)) & 0xff) ==
             kOfC) {
    frame = Load(frame + static_cast<std::uint64_t>(layout->previous));
  }
  return frame;
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

void Switch(std::uint32_t number) {
  if (number == sites.current) return;
  sites.current = number;
  AppendState(ring::Pack(ring::Op::kSite, number));
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
  const std::uint64_t code =
      Load(frame + static_cast<std::uint64_t>(layout->code));
  const std::uint64_t word =
      Load(frame + static_cast<std::uint64_t>(layout->place));
  const auto place =
      layout->bytes == kNone
          ? static_cast<std::int32_t>(word) * layout->place_unit
          : static_cast<std::int32_t>(
                word - code - static_cast<std::uint64_t>(layout->bytes));
  if (checks_left != 0) {
    CountCheck(code);
    if (layout == nullptr) return;
  }
  if (code == sites.last_code && place == sites.last_place) return;
  Switch(NumberOf(code, place));
  sites.last_code = code;
  sites.last_place = place;
}

void ForgetCode(const void* block) {
  if (layout == nullptr || sites.header != hot.header) return;
  const auto* words = static_cast<const std::uint64_t*>(block);
  if (words[1] != reinterpret_cast<std::uint64_t>(objects.code_type)) return;
  const auto address = reinterpret_cast<std::uint64_t>(block);
  if (address == sites.last_code) sites.last_code = 0;
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
