// Live blocks counted by type and owner, and what it would take to release the
// arenas they lie in.
//
//   blocks away   an arena's live blocks: so many must go before it can
//   release       arenas sorted by blocks away, the nearest first; a pinner is
//                 a live block in the nearer half of the arenas that have any
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/object_types.h"

namespace arenalab {

// One type, the memory of one type's objects, or one block size of what is
// neither.
struct TypeRow {
  std::string name;  // "dict", "memory of dict", "no object, 48 B"
  bool is_object = true;
  bool is_part = false;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;  // of the blocks, not what was asked for
  std::uint64_t pinners = 0;
};

struct OwnerRow {
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pinners = 0;
  std::uint64_t only_arenas = 0;  // in which all live blocks are this owner's
};

// Arenas with `least` to `most` live blocks.
struct AwayRow {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::uint64_t arenas = 0;
  std::uint64_t blocks = 0;
};

struct Census {
  std::vector<TypeRow> types;  // most bytes first
  std::array<OwnerRow, kOwners> owners{};
  std::vector<AwayRow> away;        // 0, 1, 2-10, 11-100, 101-1000, more
  std::uint64_t pinned_arenas = 0;  // the nearer half
  std::uint64_t pinners = 0;        // that hold them
};

class BlockCensus {
 public:
  // REQUIRES: block.arena counts up.
  void Add(const LiveBlock& block, const HeldObject& held);
  // The census of all that was added. `arenas` are those that LiveBlock names.
  Census Finish(const std::vector<ArenaReading>& arenas) const;

 private:
  struct Key {
    const ObjectType* type;   // or nullptr and
    std::size_t block_bytes;  // 0 if there is a type
    Owner owner;
    bool is_part;
    auto operator<=>(const Key&) const = default;
  };
  struct Count {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<std::map<Key, Count>> by_arena_;
  // What was counted last in this arena, by a few bits of its key.
  struct Recent {
    Key key{};
    Count* count = nullptr;
  };
  static constexpr std::size_t kRecent = 64;
  std::array<Recent, kRecent> recent_;
};

}  // namespace arenalab
