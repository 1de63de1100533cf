// Snapshots to files and back, and the clone's answers.
#include "tools/inspect/snapshot.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "allocators/pymalloc/debug_malloc_stats.h"
#include "allocators/pymalloc/generation.h"
#include "tools/inspect/block_map.h"
#include "tools/inspect/heap_generation.h"
#include "tools/inspect/heap_imaging.h"
#include "tools/replay/readable.h"
#include "tools/verify/arena_ledger.h"
#include "tools/verify/heap_seed.h"
#include "tools/version.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {
namespace {

constexpr std::size_t kTypesShown = 12;

// The clone as it goes on from one image, on arenas that lie as the image's do.
template <class G>
class SeededHeap {
 public:
  explicit SeededHeap(const HeapImage& image)
      : image_(image), ledger_(image.arena_bytes), heap_(Options()) {}

  // False: the image is another generation's.
  bool Plant() {
    for (const ArenaImage& arena : image_.arenas)
      ledger_.RecordAcquire(arena.base);
    HeapSeed<G> seed(image_, &heap_);
    blocks_.reserve(image_.live_blocks());
    return seed.Plant(
        [&](std::uint64_t, void* block) { blocks_.push_back(block); });
  }

  Heap<G>& heap() { return heap_; }
  // In the order of the image.
  const std::vector<void*>& blocks() const { return blocks_; }

 private:
  HeapOptions Options() {
    HeapOptions options;
    options.arena_source = ledger_.Source();
    return options;
  }

  const HeapImage& image_;
  ArenaLedger ledger_;
  Heap<G> heap_;
  std::vector<void*> blocks_;
};

// Calls use(heap's number, SeededHeap) for each heap of the snapshot.
template <class Use>
void ForEachSeeded(const Snapshot& snapshot, Use&& use) {
  ForEachGeneration([&]<class G>() {
    if (G::kName != snapshot.generation) return;
    for (std::size_t i = 0; i < snapshot.heaps.size(); ++i) {
      SeededHeap<G> seeded(snapshot.heaps[i]);
      if (!seeded.Plant())
        throw InputError(snapshot.path + ": its heap is not " +
                         snapshot.generation +
                         "'s, or there is no memory for a clone of it");
      use(i, seeded);
    }
  });
}

void RequireTypes(const Snapshot& snapshot) {
  if (snapshot.types.empty())
    throw InputError(snapshot.path + ": does not say what lives in its blocks");
}

constexpr std::string_view kPart = "memory of ";
std::string NameOfPart(const std::string& type) {
  return std::string(kPart) + type;
}
std::string WithoutPart(const std::string& name) {
  return name.starts_with(kPart) ? name.substr(kPart.size()) : name;
}

// Bytes by type over all heaps, the most first; its memory is the type's.
std::vector<std::pair<std::string, std::uint64_t>> BytesByType(
    const Snapshot& snapshot) {
  std::unordered_map<std::string, std::uint64_t> sums;
  for (std::size_t i = 0; i < snapshot.heaps.size(); ++i) {
    std::vector<std::uint64_t> bytes(snapshot.types[i].names.size());
    std::size_t at = 0;
    snapshot.heaps[i].VisitLiveBlocks([&](std::uint64_t, std::size_t block) {
      bytes[snapshot.types[i].types[at++]] += block;
    });
    for (std::size_t t = 0; t < bytes.size(); ++t)
      sums[WithoutPart(snapshot.types[i].names[t])] += bytes[t];
  }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(sums.begin(),
                                                            sums.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return sorted;
}

std::string Shown(const std::string& type) {
  return type.empty() ? "(no object)" : type;
}

}  // namespace

Snapshot TakeSnapshot(TargetMemory& memory, const std::vector<FoundHeap>& heaps,
                      ObjectTypes& types) {
  Snapshot snapshot;
  const auto version = FindPythonVersion(memory);
  snapshot.python = version.value_or("");
  for (const FoundHeap& found : heaps) {
    BlockMap blocks(found.geometry, found.state.arenas);
    HeapImage image = ReadHeapImage(
        memory, found.state, found.geometry, [&](const LiveBlock& block) {
          blocks.Add(block, types.Identify(block.bytes, block.block_bytes));
        });
    ReadHeapImage(memory, found.state, found.geometry,
                  [&](const LiveBlock& block) { blocks.Follow(block); });
    BlockTypes of_blocks;
    std::map<std::pair<const ObjectType*, bool>, std::uint32_t> numbers;
    blocks.Visit([&](const LiveBlock&, const HeldObject& held) {
      const auto [at, is_new] =
          numbers.try_emplace({held.type, held.is_part},
                              static_cast<std::uint32_t>(numbers.size()));
      if (is_new) of_blocks.names.push_back(NameOf(held));
      of_blocks.types.push_back(at->second);
    });
    image.state = static_cast<std::uint32_t>(snapshot.heaps.size());
    snapshot.heaps.push_back(std::move(image));
    snapshot.types.push_back(std::move(of_blocks));
    if (!snapshot.generation.empty()) continue;
    HeapReading kind;
    kind.geometry = found.geometry;
    if (found.geometry.pool_bytes > kPageBytes)
      kind.tree = FindAddressTree(memory, found.state, found.geometry);
    if (kind.tree) {
      kind.policy.address_test = AddressTest::kRadixTree;
      kind.policy.address_bits = kind.tree->address_bits;
    }
    snapshot.generation = GenerationOf(kind, version);
  }
  if (snapshot.generation.empty())
    throw InputError("no generation of pymalloc has such a heap");
  return snapshot;
}

void WriteSnapshot(const Snapshot& snapshot, const std::string& path) {
  TraceWriter writer(path, false);
  writer.Meta("tool", kVersion);
  if (!snapshot.python.empty()) writer.Meta("python", snapshot.python);
  writer.Meta("geometry", snapshot.generation);
  writer.Meta("allocator", "pymalloc");
  writer.Meta("pointer-bits", "64");
  writer.Meta("page-bytes", std::to_string(kPageBytes));
  writer.Meta("addresses", "recorded");
  writer.Meta("snapshot", snapshot.target);
  writer.Heaps(snapshot.heaps, snapshot.types);
  writer.Finish(0, 0);
  if (!writer.ok()) throw InputError(writer.error());
}

Snapshot ReadSnapshot(const std::string& path) {
  const TraceReader reader(path);
  Snapshot snapshot;
  snapshot.path = path;
  snapshot.target = reader.Meta("snapshot", path);
  snapshot.python = reader.Meta("python");
  snapshot.heaps = reader.Heaps();
  if (snapshot.heaps.empty())
    throw InputError(path +
                     ": does not begin with a heap; `arenalab inspect PID -o "
                     "heap.snap` writes such a file, `arenalab stats` shows "
                     "other traces");
  snapshot.types = reader.Types(snapshot.heaps);
  const auto generation = ResolveGeometry(reader.Meta("geometry"));
  if (!generation)
    throw InputError(path + ": does not say which pymalloc's heap it is");
  snapshot.generation = *generation;
  return snapshot;
}

WhatIf FreeAllOf(const Snapshot& snapshot,
                 const std::vector<std::string>& types) {
  RequireTypes(snapshot);
  WhatIf answer;
  const std::set<std::string> chosen(types.begin(), types.end());
  std::set<std::string> found;
  for (const std::string& type : types)
    answer.type += (answer.type.empty() ? "" : ", ") + Shown(type);
  ForEachSeeded(snapshot, [&](std::size_t i, auto& seeded) {
    const BlockTypes& of_heap = snapshot.types[i];
    std::vector<bool> goes(of_heap.names.size());
    for (std::size_t t = 0; t < goes.size(); ++t)
      for (const std::string& type : chosen)
        if (of_heap.names[t] == type ||
            (!type.empty() && of_heap.names[t] == NameOfPart(type))) {
          goes[t] = true;
          found.insert(type);
        }
    const std::uint64_t before = seeded.heap().ComputeStatistics().arenas_live;
    for (std::size_t b = 0; b < seeded.blocks().size(); ++b) {
      if (!goes[of_heap.types[b]]) continue;
      ++answer.blocks;
      answer.bytes += seeded.heap().UsableSize(seeded.blocks()[b]);
      seeded.heap().Free(seeded.blocks()[b]);
    }
    const std::uint64_t after = seeded.heap().ComputeStatistics().arenas_live;
    answer.arenas_released += before - after;
    answer.arenas_left += after;
  });
  for (const std::string& type : chosen)
    if (found.count(type) == 0)
      throw InputError(snapshot.path + ": no live block is a " + Shown(type));
  return answer;
}

std::vector<WhatIf> FreeEachType(const Snapshot& snapshot, std::size_t most) {
  RequireTypes(snapshot);
  std::vector<WhatIf> answers;
  for (const auto& [type, bytes] : BytesByType(snapshot)) {
    if (answers.size() == most) break;
    answers.push_back(FreeAllOf(snapshot, {type}));
  }
  return answers;
}

std::string SnapshotStatisticsText(const Snapshot& snapshot) {
  std::string text;
  ForEachSeeded(snapshot, [&](std::size_t, auto& seeded) {
    if (!text.empty()) text += '\n';
    text += FormatDebugMallocStats(seeded.heap().ComputeStatistics(),
                                   seeded.heap().geometry(),
                                   seeded.heap().policy());
  });
  return text;
}

std::string SnapshotText(const Snapshot& snapshot) {
  std::uint64_t arenas = 0;
  for (const HeapImage& heap : snapshot.heaps) arenas += heap.arenas.size();
  const auto arena_bytes =
      static_cast<double>(snapshot.heaps.front().arena_bytes);
  std::string text =
      snapshot.target + ", Python " +
      (snapshot.python.empty() ? "of unknown version" : snapshot.python) +
      ", " + snapshot.generation + ": " + ReadableCount(arenas) + " arenas, " +
      ReadableBytes(static_cast<double>(arenas) * arena_bytes) +
      "\n\nFreeing every block of one type releases, on the clone\n";
  char line[160];
  std::snprintf(line, sizeof(line), "  %-42s %12s %14s %10s %12s\n", "type",
                "blocks", "bytes", "arenas", "gives back");
  text += line;
  for (const WhatIf& row : FreeEachType(snapshot, kTypesShown)) {
    std::snprintf(
        line, sizeof(line), "  %-42.42s %12s %14s %10s %12s\n",
        Shown(row.type).c_str(), ReadableCount(row.blocks).c_str(),
        ReadableCount(row.bytes).c_str(),
        ReadableCount(row.arenas_released).c_str(),
        ReadableBytes(static_cast<double>(row.arenas_released) * arena_bytes)
            .c_str());
    text += line;
  }
  return text;
}

}  // namespace arenalab
