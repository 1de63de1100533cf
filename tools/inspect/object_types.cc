// Reads types, and tells objects by them; the rules are object_types.h's.
#include "tools/inspect/object_types.h"

#include <algorithm>
#include <cstring>

namespace arenalab {
namespace {

// The beginning of PyTypeObject. The fields between are its methods.
struct TypeHead {
  std::uint64_t references;
  std::uint64_t type;
  std::int64_t size;
  std::uint64_t name;
  std::int64_t basic_bytes;
  std::int64_t item_bytes;
  std::uint64_t methods[15];
  std::uint64_t flags;
};
static_assert(offsetof(TypeHead, flags) == 168, "as in PyTypeObject");

constexpr std::uint64_t kIsReady = 1ull << 12;
constexpr std::uint64_t kHasGc = 1ull << 14;
// Managed weak references (3.12), managed __dict__ (3.11).
constexpr std::uint64_t kHasPreHeader = 1ull << 3 | 1ull << 4;
constexpr std::uint64_t kIsStr = 1ull << 28;
constexpr std::uint64_t kIsType = 1ull << 31;

// Counts are 32 bits wide where they are immortal (3.12+), and no count of
// references is larger than that in practice. A pointer is.
constexpr std::uint64_t kMostReferences = 0xffffffff;
constexpr std::uint64_t kImmortal = 1ull << 30;

// state of PyASCIIObject: whether it is interned is in its lowest two bits.
constexpr std::size_t kStrStateOffset = 32;
constexpr std::size_t kLeastStr = 40;

std::uint64_t WordAt(const unsigned char* bytes, std::size_t offset) {
  std::uint64_t word;
  std::memcpy(&word, bytes + offset, sizeof(word));
  return word;
}

// A name as Python has them: no spaces, nothing unprintable. Bytes over 127 are
// letters of UTF-8.
bool IsNameByte(unsigned char c) { return c > ' ' && c != 127; }

}  // namespace

const char* NameOf(Owner owner) {
  static constexpr const char* kNames[kOwners] = {
      "program", "interpreter's free lists", "immortal or interned", "unknown"};
  return kNames[static_cast<std::size_t>(owner)];
}

std::string NameOf(const HeldObject& held) {
  if (held.type == nullptr) return "";
  return held.is_part ? "memory of " + held.type->name : held.type->name;
}

std::unique_ptr<ObjectType> ObjectTypes::Read(std::uint64_t address) const {
  TypeHead head;
  if (address % 8 != 0 || memory_.Find(address) == nullptr ||
      !memory_.ReadValue(address, &head))
    return nullptr;
  constexpr std::int64_t kMostBasicBytes = 1 << 20;
  if ((head.flags & kIsReady) == 0 || head.references == 0 ||
      head.basic_bytes < 16 || head.basic_bytes > kMostBasicBytes ||
      head.item_bytes < 0 || head.item_bytes > kMostBasicBytes)
    return nullptr;
  // Its type's type's ... type is its own, and all of them are types.
  std::uint64_t at = head.type;
  for (int steps = 0;; ++steps) {
    TypeHead meta;
    if (steps == 4 || at % 8 != 0 || memory_.Find(at) == nullptr ||
        !memory_.ReadValue(at, &meta) || (meta.flags & kIsType) == 0)
      return nullptr;
    if (meta.type == at) break;
    at = meta.type;
  }
  char name[80] = {};
  if (memory_.Find(head.name) == nullptr) return nullptr;
  const std::size_t got = memory_.Read(head.name, name, sizeof(name) - 1);
  const std::size_t length = strnlen(name, got);
  if (length == 0 || !std::all_of(name, name + length, IsNameByte))
    return nullptr;
  auto type = std::make_unique<ObjectType>();
  type->name.assign(name, length);
  type->flags = head.flags;
  type->basic_bytes = head.basic_bytes;
  return type;
}

const ObjectType* ObjectTypes::TypeAt(std::uint64_t address) {
  Recent& recent = recent_[(address / 16 ^ address / 16384) % kRecent];
  if (recent.address == address) return recent.type;
  const auto [at, is_new] = known_.try_emplace(address);
  if (is_new) at->second = Read(address);
  recent = {address, at->second.get()};
  return recent.type;
}

HeldObject ObjectTypes::Identify(const unsigned char* block,
                                 std::size_t block_bytes) {
  for (const std::size_t offset : {0u, 16u, 24u, 32u}) {
    if (offset + 16 > block_bytes) break;
    const std::uint64_t references = WordAt(block, offset);
    const std::uint64_t type_address = WordAt(block, offset + 8);
    if (references > kMostReferences || type_address < kPageBytes) continue;
    const ObjectType* type = TypeAt(type_address);
    if (type == nullptr) continue;
    // A compact string is shorter than its type's basic size.
    const std::size_t least = (type->flags & kIsStr) != 0
                                  ? kLeastStr
                                  : static_cast<std::size_t>(type->basic_bytes);
    if (offset + least > block_bytes) continue;
    const bool has_head =
        (type->flags & (kHasGc | kHasPreHeader)) != 0 || offset == 0;
    if (!has_head || ((type->flags & kHasGc) != 0 && offset == 0)) continue;
    HeldObject held{type, Owner::kProgram, offset};
    if (references == 0)
      held.owner = Owner::kFreeList;
    else if (references >= kImmortal ||
             ((type->flags & kIsStr) != 0 &&
              offset + kStrStateOffset + 4 <= block_bytes &&
              (block[offset + kStrStateOffset] & 3) != 0))
      held.owner = Owner::kImmortal;
    return held;
  }
  return {};
}

}  // namespace arenalab
