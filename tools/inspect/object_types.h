// What lives in a block: the Python object, by its type, if it can be told.
//
// An object is a reference count and a pointer to its type; behind a header of
// the garbage collector if its type says so (16 bytes, 32 before 3.8 where it
// was patched to keep alignment, 24 before that), and two more words from 3.11
// on if it has a managed __dict__. What a type is, tracer/object/type_object.h
// says. What fits no such reading is not guessed at: dict tables, list buffers
// and other memory that is no object have no type here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/inspect/target_memory.h"
#include "tracer/event.h"

namespace arenalab {

// "program", "interpreter's free lists", "immortal or interned", "unknown".
const char* NameOf(Owner owner);

struct ObjectType {
  std::uint32_t number = 0;  // from 1 on, in the order they were found
  std::string name;
  std::uint64_t flags = 0;
  std::int64_t basic_bytes = 0;
};

struct HeldObject {
  const ObjectType* type = nullptr;  // owned by ObjectTypes; nullptr: unknown
  Owner owner = Owner::kUnknown;
  std::size_t offset = 0;  // of the object in its block
  // No object lives in the block; it is memory of one of this type
  // (block_map.h).
  bool is_part = false;
};

// "dict", "memory of dict", or "" if there is no type.
std::string NameOf(const HeldObject& held);

class ObjectTypes {
 public:
  explicit ObjectTypes(TargetMemory& memory) : memory_(memory) {}

  HeldObject Identify(const unsigned char* block, std::size_t block_bytes);

  // The type at an address of the target, or nullptr if there is none. Asked
  // for again, the answer is remembered.
  const ObjectType* TypeAt(std::uint64_t address);

 private:
  std::unique_ptr<ObjectType> Read(std::uint64_t address) const;

  // Most blocks hold one of few types: those that were asked for last, by a few
  // bits of their address.
  struct Recent {
    std::uint64_t address = 0;
    const ObjectType* type = nullptr;
  };
  static constexpr std::size_t kRecent = 1024;

  TargetMemory& memory_;
  std::vector<Recent> recent_ = std::vector<Recent>(kRecent);
  std::uint32_t types_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<ObjectType>> known_;
};

}  // namespace arenalab
