// Types: a table from the address of a type to its number. An address that was
// found to be none is in it too, with number 0, so that it is asked for once.
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tracer/object/type_object.h"
#include "tracer/preload/attribution.h"
#include "tracer/preload/recorder.h"

// The oldest version of dlsym, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

namespace arenalab::preload {

constinit ObjectApi objects{};

namespace {

struct TypeSlot {
  std::uint64_t address;  // 0: free
  std::uint32_t number;   // 0: no type
  std::uint8_t offset;    // of its objects in their blocks
  bool is_metatype;       // its objects are types
};
constexpr std::size_t kSlots = 4096;
constexpr std::size_t kMostUsed = kSlots * 3 / 4;
constexpr std::uint64_t kGone = 1;  // an address that no type has

struct Types {
  const ring::Header* header;  // for which the numbers were given
  std::uint32_t last;          // number
  std::size_t used;
  TypeSlot slots[kSlots];
};
constinit Types types{};
// Of the garbage collector's header: 3.6 has 24 or, where the build aligns to
// 16 bytes, 32. The words in one of which the other's count would stand are
// never 0 and a type.
std::uint8_t gc_head_bytes = 16;
bool either_gc_head = false;

std::uint64_t pool_bytes = 1 << 14;

std::size_t SlotOf(std::uint64_t address) {
  return (address >> 4) * 0x9e3779b97f4a7c15u >> 52;
}
static_assert(kSlots == 1 << (64 - 52));

void StartAnew() {
  types.header = hot.header;
  types.last = 0;
  types.used = 0;
  memset(types.slots, 0, sizeof(types.slots));
}

// `slot` is the free one where a search for the address ended.
TypeSlot* Learn(std::uint64_t address, TypeSlot* slot) {
  const int saved = errno;
  if (types.used == kMostUsed) {
    // Numbers go on, and a name may come again.
    memset(types.slots, 0, sizeof(types.slots));
    types.used = 0;
    slot = &types.slots[SlotOf(address)];
  }
  object::TypeHead head;
  char name[object::kNameBytes];
  const bool is_type = object::ReadType(address, ReadSafely, &head, name);
  // What is none yet may be one once the interpreter has started.
  if (is_type || objects.is_initialised() != 0) {
    ++types.used;
    *slot = {address, 0, 0, false};
  }
  if (is_type) {
    slot->offset = static_cast<std::uint8_t>(
        object::ObjectOffset(head.flags, gc_head_bytes));
    slot->is_metatype = (head.flags & object::kIsType) != 0;
    slot->number = ++types.last;
    AppendText(ring::Op::kTypeName, slot->number, name, strlen(name));
  }
  errno = saved;
  return slot;
}

TypeSlot* Find(std::uint64_t address) {
  for (std::size_t at = SlotOf(address);; at = (at + 1) % kSlots) {
    TypeSlot* slot = &types.slots[at];
    if (slot->address == address) return slot;
    if (slot->address == 0) return Learn(address, slot);
  }
}

bool Fits(std::size_t offset_of_type, std::size_t offset) {
  return offset_of_type == offset ||
         (either_gc_head && offset_of_type != 0 && offset != 0);
}

template <typename Symbol>
void LookUp(Symbol* out, const char* name) {
  *out = reinterpret_cast<Symbol>(dlsym(RTLD_DEFAULT, name));
}

void Forget(std::uint64_t address) {
  for (std::size_t at = SlotOf(address); types.slots[at].address != 0;
       at = (at + 1) % kSlots) {
    if (types.slots[at].address == address) {
      types.slots[at].address = kGone;
      return;
    }
  }
}

}  // namespace

// The raw system call: the C library's wrapper is newer than GLIBC_2.14.
std::size_t ReadSafely(std::uint64_t address, void* out, std::size_t bytes) {
  // Whole pages are read or not: what lies before an unmapped one is got.
  constexpr std::uint64_t kPage = 4096;
  const std::size_t first =
      bytes < kPage - address % kPage ? bytes : kPage - address % kPage;
  const iovec here = {out, bytes};
  const iovec there[2] = {
      {reinterpret_cast<void*>(address), first},
      {reinterpret_cast<void*>(address + first), bytes - first}};
  const long got = syscall(SYS_process_vm_readv, syscall(SYS_getpid), &here, 1,
                           there, first == bytes ? 1 : 2, 0);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

namespace {

bool ReadPair(std::uint64_t address, std::uint64_t* first,
              std::uint64_t* second) {
  const int saved = errno;
  std::uint64_t pair[2] = {};
  const bool whole = ReadSafely(address, pair, sizeof(pair)) == sizeof(pair);
  errno = saved;
  *first = pair[0];
  *second = pair[1];
  return whole;
}

}  // namespace

void BeginTypes(int minor) {
  if (settings.types == ring::Reading::kOff) return;
  if (minor < 10) pool_bytes = 1 << 12;
  if (minor < 8) gc_head_bytes = 32;
  either_gc_head = minor == 6;
  // A sandbox may forbid to read safely.
  std::uint64_t word = 0;
  const bool reads = ReadSafely(reinterpret_cast<std::uint64_t>(&word), &word,
                                sizeof(word)) == sizeof(word);
  if (!reads || objects.is_initialised == nullptr || minor < 6 || minor > 13) {
    settings.types = ring::Reading::kUnknownLayout;
  }
}

void BeginAttribution(int minor) {
  LookUp(&objects.type_type, "PyType_Type");
  LookUp(&objects.code_type, "PyCode_Type");
  LookUp(&objects.str_type, "PyUnicode_Type");
  LookUp(&objects.thread_state, "PyThreadState_GetUnchecked");
  if (objects.thread_state == nullptr) {
    LookUp(&objects.thread_state, "_PyThreadState_UncheckedGet");  // 3.12
  }
  LookUp(&objects.str_length, "PyUnicode_GetLength");
  LookUp(&objects.str_character, "PyUnicode_ReadChar");
  LookUp(&objects.line_of, "PyCode_Addr2Line");
  LookUp(&objects.is_initialised, "Py_IsInitialized");
  BeginTypes(minor);
  BeginSites(minor);
}

std::uint32_t TypeOfFreed(const void* block) {
  if (settings.types != ring::Reading::kWorks || hot.header == nullptr) {
    return 0;
  }
  if (types.header != hot.header) StartAnew();
  const auto base = reinterpret_cast<std::uint64_t>(block);
  const auto* words = static_cast<const std::uint64_t*>(block);
  const std::size_t offsets[] = {0, gc_head_bytes,
                                 either_gc_head ? 24u : gc_head_bytes + 16u};
  for (const std::size_t offset : offsets) {
    std::uint64_t references = 0, type = 0;
    if (((base + offset + 15) ^ base) < pool_bytes) {
      references = words[offset / 8];
      type = words[offset / 8 + 1];
    } else if (!ReadPair(base + offset, &references, &type)) {
      // A small block ends where its pool ends, and behind that may be nothing.
      return 0;
    }
    // It has lost its last reference.
    if (references != 0 || type < object::kLeastAddress || type % 8 != 0 ||
        type >> 47 != 0) {
      continue;
    }
    const TypeSlot slot = *Find(type);
    if (slot.number == 0 || !Fits(slot.offset, offset)) continue;
    if (slot.is_metatype) Forget(base + offset);
    return slot.number;
  }
  return 0;
}

}  // namespace arenalab::preload
