// Open addressing with linear probing; a delete shifts what follows back, so
// there are no tombstones and a long trace does not slow the table down.
#include "tracer/format/object_table.h"

#include <map>
#include <utility>
#include <vector>

namespace arenalab {
namespace {

struct Entry {
  std::uint64_t address;
  std::uint32_t object;
  std::uint32_t space;  // 0: the entry is empty
};
static_assert(sizeof(Entry) == 16, "four to a cache line");

constexpr std::uint32_t kRawSpace = 1;
constexpr std::uint32_t kLibcSpace = 3;

constexpr std::uint32_t SpaceOf(Layer layer) {
  switch (layer) {
    case Layer::kRaw:
      return kRawSpace;
    case Layer::kMem:
    case Layer::kObject:
      return 2;
    case Layer::kLibc:
      return kLibcSpace;
  }
  return 0;
}

// An owner whose address was handed out again.
struct Aside {
  std::uint32_t object;
  std::uint64_t displaced_at;  // request number
};

}  // namespace

struct ObjectTable::Impl {
  static constexpr unsigned kFirstBits = 12;

  Impl() { Resize(kFirstBits); }

  void Resize(unsigned bits) {
    std::vector<Entry> old(std::size_t{1} << bits, Entry{});
    old.swap(entries);
    shift = 64 - bits;
    mask = entries.size() - 1;
    for (const Entry& entry : old) {
      if (entry.space != 0) entries[Probe(entry.address, entry.space)] = entry;
    }
  }

  // Multiplicative: equally spaced addresses, as in a pool, spread evenly.
  std::size_t Home(std::uint64_t address, std::uint32_t space) const {
    return (address + (std::uint64_t{space} << 61)) * 0x9e3779b97f4a7c15u >>
           shift;
  }

  // The entry of the key, or the empty one where it would go.
  std::size_t Probe(std::uint64_t address, std::uint32_t space) const {
    std::size_t at = Home(address, space);
    while (entries[at].space != 0 &&
           (entries[at].address != address || entries[at].space != space)) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void Erase(std::size_t hole) {
    --used;
    for (std::size_t at = (hole + 1) & mask; entries[at].space != 0;
         at = (at + 1) & mask) {
      // An entry may move back to the hole unless its home lies between them.
      const std::size_t home = Home(entries[at].address, entries[at].space);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        entries[hole] = entries[at];
        hole = at;
      }
    }
    entries[hole].space = 0;
  }

  std::uint32_t NewObject() {
    if (free_objects.empty()) return high_water++;
    const std::uint32_t object = free_objects.back();
    free_objects.pop_back();
    return object;
  }

  void Own(const Event& event, std::uint32_t object, Identified* result) {
    const std::uint32_t space = SpaceOf(event.layer);
    std::size_t at = Probe(event.address, space);
    result->object = object;
    if (entries[at].space != 0) {
      asides.insert(
          {{space, event.address}, {entries[at].object, event.request}});
      entries[at].object = object;
      result->displaced = true;
      ++unexplained;
      return;
    }
    if (2 * (used + 1) > entries.size()) {
      Resize(64 - shift + 1);
      at = Probe(event.address, space);
    }
    entries[at] = {event.address, object, space};
    ++used;
  }

  // Takes the address from its owner; kNoObject where it has none.
  std::uint32_t Disown(const Event& event, std::uint64_t address,
                       Identified* result) {
    const std::uint32_t space = SpaceOf(event.layer);
    if (event.lag != 0) {
      const auto [first, last] = asides.equal_range({space, address});
      for (auto aside = first; aside != last; ++aside) {
        // Equal keys stand in the order of their coming: the oldest is first.
        if (event.request - aside->second.displaced_at > event.lag) continue;
        const Aside found = aside->second;
        asides.erase(aside);
        result->explains = found.displaced_at;
        --unexplained;
        return found.object;
      }
    }
    const std::size_t at = Probe(address, space);
    if (entries[at].space != 0) {
      const std::uint32_t object = entries[at].object;
      Erase(at);
      return object;
    }
    if (event.depth == 0 && (space == kRawSpace || space == kLibcSpace)) {
      // Made in the one, given up in the other (event.h, IDENTITY).
      const std::size_t other = Probe(address, kRawSpace + kLibcSpace - space);
      if (entries[other].space != 0) {
        const std::uint32_t object = entries[other].object;
        Erase(other);
        return object;
      }
    }
    if (asides.empty()) return kNoObject;
    // Given up twice, after a double allocation: the last displaced.
    auto [first, last] = asides.equal_range({space, address});
    if (first == last) return kNoObject;
    const std::uint32_t object = (--last)->second.object;
    asides.erase(last);
    return object;
  }

  std::vector<Entry> entries;
  unsigned shift = 0;
  std::size_t mask = 0;
  std::size_t used = 0;
  std::vector<std::uint32_t> free_objects;
  std::uint32_t high_water = 0;
  std::multimap<std::pair<std::uint32_t, std::uint64_t>, Aside> asides;
  std::uint64_t unexplained = 0;
};

ObjectTable::ObjectTable() : impl_(std::make_unique<Impl>()) {}
ObjectTable::~ObjectTable() = default;

Identified ObjectTable::Identify(const Event& event) {
  Identified result;
  Impl& table = *impl_;
  switch (event.kind) {
    case EventKind::kAlloc:
    case EventKind::kZeroed:
    case EventKind::kAligned:
      table.Own(event, table.NewObject(), &result);
      break;
    case EventKind::kRealloc: {
      std::uint32_t object = kNoObject;
      if (event.old_address != 0) {
        object = table.Disown(event, event.old_address, &result);
        result.unknown_old = object == kNoObject;
      }
      table.Own(event, object == kNoObject ? table.NewObject() : object,
                &result);
      break;
    }
    case EventKind::kFree:
      result.object = table.Disown(event, event.address, &result);
      if (result.object != kNoObject) {
        table.free_objects.push_back(result.object);
      }
      break;
    case EventKind::kHeld: {
      const auto& entry =
          table.entries[table.Probe(event.address, SpaceOf(event.layer))];
      if (entry.space != 0) result.object = entry.object;
      break;
    }
    default:
      break;
  }
  return result;
}

std::uint32_t ObjectTable::high_water() const { return impl_->high_water; }
std::uint32_t ObjectTable::live() const {
  return impl_->high_water -
         static_cast<std::uint32_t>(impl_->free_objects.size());
}
std::uint64_t ObjectTable::unexplained() const { return impl_->unexplained; }

}  // namespace arenalab
