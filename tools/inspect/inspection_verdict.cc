// Three sentences: whose the memory is, what holds the arenas, and what would
// give memory back. The numbers are the inspection's own.
#include <algorithm>
#include <cmath>

#include "tools/inspect/inspection.h"
#include "tools/replay/readable.h"

namespace arenalab {
namespace {

constexpr std::size_t kPinnersNamed = 3;

std::string Size(std::uint64_t bytes) {
  return ReadableBytes(static_cast<double>(bytes));
}

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  return std::to_string(std::lround(
             100.0 * static_cast<double>(part) /
             static_cast<double>(std::max<std::uint64_t>(whole, 1)))) +
         " %";
}

// Sums over the heaps.
struct Sums {
  std::uint64_t arenas = 0, held_bytes = 0, live_bytes = 0;
  std::uint64_t near_arenas = 0, near_bytes = 0, pinners = 0;
  std::uint64_t idle_bytes = 0, free_list_arenas = 0;
  OwnerRow owners[kOwners];
  std::vector<TypeRow> pinning;
};

Sums SumOf(const Inspection& inspection) {
  Sums sums;
  for (const HeapInspection& heap : inspection.heaps) {
    const HeapReading& reading = heap.reading;
    const std::uint64_t arena_bytes = reading.geometry.arena_bytes;
    sums.arenas += reading.statistics.arenas_live;
    sums.held_bytes += reading.statistics.arenas_live * arena_bytes;
    sums.live_bytes += reading.statistics.allocated_bytes;
    sums.near_arenas += heap.census.pinned_arenas;
    sums.near_bytes += heap.census.pinned_arenas * arena_bytes;
    sums.pinners += heap.census.pinners;
    for (const ArenaReading& arena : reading.arenas)
      sums.idle_bytes += arena.idle_pages * kPageBytes;
    for (std::size_t i = 0; i < kOwners; ++i)
      sums.owners[i].pinners += heap.census.owners[i].pinners;
    sums.free_list_arenas +=
        heap.census.owners[static_cast<std::size_t>(Owner::kFreeList)]
            .only_arenas;
    for (const TypeRow& row : heap.census.types)
      if (row.pinners > 0) sums.pinning.push_back(row);
  }
  std::stable_sort(
      sums.pinning.begin(), sums.pinning.end(),
      [](const TypeRow& a, const TypeRow& b) { return a.pinners > b.pinners; });
  return sums;
}

std::string HoldsSentence(const Sums& sums) {
  if (sums.arenas == 0) return "No arena has a live block.";
  std::string text = "pymalloc's " + ReadableCount(sums.arenas) +
                     (sums.arenas == 1 ? " arena (" : " arenas (") +
                     Size(sums.held_bytes) + ") hold " + Size(sums.live_bytes) +
                     " of live blocks, " +
                     Percent(sums.live_bytes, sums.held_bytes) +
                     "; the half of them with the fewest is held by " +
                     ReadableCount(sums.pinners) + " blocks";
  for (std::size_t i = 0; i < std::min(kPinnersNamed, sums.pinning.size()); ++i)
    text += (i == 0 ? ": " : ", ") + sums.pinning[i].name + " " +
            ReadableCount(sums.pinning[i].pinners);
  const auto of = [&](Owner owner) {
    return sums.owners[static_cast<std::size_t>(owner)].pinners;
  };
  return text + "; the program refers to " +
         Percent(of(Owner::kProgram), sums.pinners) +
         " of them, the interpreter's free lists keep " +
         Percent(of(Owner::kFreeList), sums.pinners) + ", " +
         Percent(of(Owner::kImmortal), sums.pinners) +
         " are immortal or interned.";
}

std::string ReleaseSentence(const Inspection& inspection, const Sums& sums) {
  std::string text = "Freeing these " + ReadableCount(sums.pinners) +
                     " blocks would give back " + Size(sums.near_bytes) +
                     "; pages of arenas that hold nothing live are " +
                     Size(sums.idle_bytes) +
                     " more, which no release of CPython gives back";
  if (inspection.whose) {
    std::uint64_t trimmable = 0;
    for (const CHeap& heap : inspection.whose->c_heaps)
      trimmable += heap.trimmable_bytes;
    text += "; malloc_trim(0) would give back " + Size(trimmable) +
            " of the C library's";
  }
  if (sums.free_list_arenas > 0)
    text += "; " + ReadableCount(sums.free_list_arenas) +
            " arenas hold only what free lists keep, which gc.collect() "
            "empties";
  return text + ".";
}

}  // namespace

std::vector<std::string> VerdictSentences(const Inspection& inspection) {
  const Sums sums = SumOf(inspection);
  std::vector<std::string> sentences;
  if (inspection.whose) sentences.push_back(WhoseSentence(*inspection.whose));
  sentences.push_back(HoldsSentence(sums));
  sentences.push_back(ReleaseSentence(inspection, sums));
  return sentences;
}

}  // namespace arenalab
