// Reads types, and tells objects by them; the rules are object_types.h's.
#include "tools/inspect/object_types.h"

#include <cstring>

#include "tracer/object/type_object.h"

namespace arenalab {
namespace {

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
  const auto read = [this](std::uint64_t at, void* out, std::size_t bytes) {
    return memory_.Find(at) == nullptr ? 0 : memory_.Read(at, out, bytes);
  };
  object::TypeHead head;
  char name[object::kNameBytes];
  if (!object::ReadType(address, read, &head, name)) return nullptr;
  auto type = std::make_unique<ObjectType>();
  type->name = name;
  type->flags = head.flags;
  type->basic_bytes = head.basic_bytes;
  return type;
}

const ObjectType* ObjectTypes::TypeAt(std::uint64_t address) {
  Recent& recent = recent_[(address / 16 ^ address / 16384) % kRecent];
  if (recent.address == address) return recent.type;
  const auto [at, is_new] = known_.try_emplace(address);
  if (is_new) {
    at->second = Read(address);
    if (at->second) at->second->number = ++types_;
  }
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
    const std::size_t least = (type->flags & object::kIsStr) != 0
                                  ? kLeastStr
                                  : static_cast<std::size_t>(type->basic_bytes);
    if (offset + least > block_bytes) continue;
    const bool has_head =
        (type->flags & (object::kHasGc | object::kHasPreHeader)) != 0 ||
        offset == 0;
    if (!has_head || ((type->flags & object::kHasGc) != 0 && offset == 0))
      continue;
    HeldObject held{type, Owner::kProgram, offset};
    if (references == 0)
      held.owner = Owner::kFreeList;
    else if (references >= kImmortal ||
             ((type->flags & object::kIsStr) != 0 &&
              offset + kStrStateOffset + 4 <= block_bytes &&
              (block[offset + kStrStateOffset] & 3) != 0))
      held.owner = Owner::kImmortal;
    return held;
  }
  return {};
}

}  // namespace arenalab
