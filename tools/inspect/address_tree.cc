// Finds the radix tree by walking it from every word that may be its root.
#include "tools/inspect/address_tree.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace arenalab {
namespace {

// How far from the state's words the root may begin: it is beside them.
constexpr std::uint64_t kReach = 384 * 1024;
constexpr std::uint64_t kPointer = 8;
// (hi, lo): two ints
constexpr std::uint64_t kBottomEntry = 8;

struct Shape {
  int address_bits;
  int arena_shift;
  int root_bits;
  int mid_bits;
  int bottom_bits;

  std::uint64_t RootIndex(std::uint64_t address) const {
    return Index(address, arena_shift + bottom_bits + mid_bits, root_bits);
  }
  std::uint64_t MidIndex(std::uint64_t address) const {
    return Index(address, arena_shift + bottom_bits, mid_bits);
  }
  std::uint64_t BottomIndex(std::uint64_t address) const {
    return Index(address, arena_shift, bottom_bits);
  }
  static std::uint64_t Index(std::uint64_t address, int shift, int bits) {
    return address >> shift & ((std::uint64_t{1} << bits) - 1);
  }
};

std::uint64_t Entries(TargetMemory& memory, std::uint64_t node, int bits,
                      std::vector<std::uint64_t>* out) {
  out->assign(std::size_t{1} << bits, 0);
  // Page by page: most of a node has no content.
  const std::uint64_t bytes = out->size() * kPointer;
  const std::uint64_t begin = node & ~(kPageBytes - 1);
  const std::uint64_t end = (node + bytes + kPageBytes - 1) & ~(kPageBytes - 1);
  std::vector<char> pages(end - begin);
  memory.ReadContent(begin, end, pages.data());
  std::copy_n(pages.data() + (node - begin), bytes,
              reinterpret_cast<char*>(out->data()));
  return static_cast<std::uint64_t>(
      std::count_if(out->begin(), out->end(), [](auto p) { return p != 0; }));
}

bool IsNode(TargetMemory& memory, std::uint64_t address) {
  const Mapping* m = memory.Find(address);
  return address % kPointer == 0 && m != nullptr && m->writable;
}

// Is the arena at `base` found by way of `mid`, its word of the root?
bool LeadsTo(TargetMemory& memory, const Shape& shape, std::uint64_t mid,
             std::uint64_t base) {
  std::uint64_t bottom;
  if (!IsNode(memory, mid) ||
      !memory.ReadValue(mid + shape.MidIndex(base) * kPointer, &bottom) ||
      !IsNode(memory, bottom))
    return false;
  std::int32_t hi;
  if (!memory.ReadValue(bottom + shape.BottomIndex(base) * kBottomEntry, &hi))
    return false;
  const std::uint64_t tail =
      base & ((std::uint64_t{1} << shape.arena_shift) - 1);
  return hi == (tail == 0 ? -1 : static_cast<std::int32_t>(tail));
}

// The tree whose root begins at `root`; nullopt where what stands there is no
// tree, or not that of these arenas. One arena may be found by chance, from a
// word that is no root: of an aligned one the entry is just -1.
std::optional<AddressTree> WalkTree(TargetMemory& memory, const Shape& shape,
                                    std::uint64_t at,
                                    const std::vector<FoundArena>& arenas) {
  AddressTree tree;
  tree.address_bits = shape.address_bits;
  tree.root = at;
  std::vector<std::uint64_t> root, mid;
  const auto all_nodes = [&](const std::vector<std::uint64_t>& entries) {
    return std::all_of(entries.begin(), entries.end(), [&](auto entry) {
      return entry == 0 || IsNode(memory, entry);
    });
  };
  tree.mid_nodes = Entries(memory, at, shape.root_bits, &root);
  if (!all_nodes(root)) return std::nullopt;
  // In a process that runs on, an arena may be in the records only or gone.
  const auto found = static_cast<std::size_t>(
      std::count_if(arenas.begin(), arenas.end(), [&](const FoundArena& arena) {
        return LeadsTo(memory, shape, root[shape.RootIndex(arena.record.base)],
                       arena.record.base);
      }));
  if (found < (arenas.size() + 1) / 2) return std::nullopt;
  for (const std::uint64_t node : root) {
    if (node == 0) continue;
    tree.bottom_nodes += Entries(memory, node, shape.mid_bits, &mid);
    if (!all_nodes(mid)) return std::nullopt;
  }
  tree.root_bytes = kPointer << shape.root_bits;
  tree.mid_bytes = tree.mid_nodes * (kPointer << shape.mid_bits);
  tree.bottom_bytes = tree.bottom_nodes * (kBottomEntry << shape.bottom_bits);
  return tree;
}

}  // namespace

std::optional<AddressTree> FindAddressTree(TargetMemory& memory,
                                           const AllocatorState& state,
                                           const GeometryValues& geometry) {
  const int arena_shift = std::countr_zero(geometry.arena_bytes);
  const Shape shapes[] = {
      {64, arena_shift, 15, 15, 64 - 30 - arena_shift},
      {48, arena_shift, 10, 10, 48 - 20 - arena_shift},
  };
  if (state.arenas.empty()) return std::nullopt;
  const std::uint64_t base = state.arenas.front().record.base;
  const Mapping* home = memory.Find(state.address);
  if (home == nullptr) return std::nullopt;
  std::uint64_t low = home->begin, high = home->end;
  for (const Mapping& m : memory.mappings()) {  // neighbours in one module
    if (m.end == low && m.writable) low = m.begin;
    if (m.begin == high && m.writable) high = m.end;
  }
  const std::uint64_t reach = std::min(state.address, kReach);
  low = std::max(low, (state.address - reach) & ~(kPageBytes - 1));
  high = std::min(high, (state.address + kReach) & ~(kPageBytes - 1));
  std::vector<std::uint64_t> words((high - low) / kPointer);
  memory.ReadContent(low, high, words.data());
  for (const Shape& shape : shapes) {
    const std::uint64_t index = shape.RootIndex(base);
    for (std::uint64_t i = index; i < words.size(); ++i) {
      if (words[i] < kPageBytes || !LeadsTo(memory, shape, words[i], base))
        continue;
      if (auto tree = WalkTree(memory, shape, low + (i - index) * kPointer,
                               state.arenas))
        return tree;
    }
  }
  return std::nullopt;
}

}  // namespace arenalab
