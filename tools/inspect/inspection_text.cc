// An inspection as a screen of text, and as one line.
#include <algorithm>
#include <cstdio>
#include <set>

#include "tools/inspect/inspection.h"
#include "tools/replay/readable.h"

namespace arenalab {
namespace {

constexpr std::size_t kTypesShown = 12;
constexpr std::size_t kPinnersShown = 5;
constexpr std::size_t kCArenasShown = 8;

std::string Size(std::uint64_t bytes) {
  return ReadableBytes(static_cast<double>(bytes));
}

std::string Line(const char* label, std::uint64_t bytes, double whole) {
  char text[128];
  std::snprintf(text, sizeof(text), "  %-46s %18s  %5.1f %%\n", label,
                ReadableCount(bytes).c_str(),
                100 * static_cast<double>(bytes) / std::max(whole, 1.0));
  return text;
}

std::string CArenasText(const WhoseMemory& whose) {
  const std::vector<CArena> arenas = ArenasOf(whose.c_heaps);
  if (arenas.empty()) return "";
  char line[160];
  std::snprintf(line, sizeof(line), "  %-26s %6s %12s %12s %14s\n",
                "C library's arena", "heaps", "live", "free", "malloc_trim(0)");
  std::string text = line;
  for (std::size_t i = 0; i < std::min(kCArenasShown, arenas.size()); ++i) {
    char name[32] = "main";
    if (arenas[i].arena != 0)
      std::snprintf(name, sizeof(name), "%#llx",
                    static_cast<unsigned long long>(arenas[i].arena));
    std::snprintf(line, sizeof(line), "  %-26s %6llu %12s %12s %14s\n", name,
                  static_cast<unsigned long long>(arenas[i].heaps),
                  Size(arenas[i].live_bytes).c_str(),
                  Size(arenas[i].free_bytes).c_str(),
                  Size(arenas[i].trimmable_bytes).c_str());
    text += line;
  }
  if (arenas.size() > kCArenasShown)
    text += "  and " + std::to_string(arenas.size() - kCArenasShown) +
            " more (--json has all)\n";
  return text;
}

std::string WhoseText(const WhoseMemory& whose) {
  std::string text = "\nWhose memory, in bytes\n";
  const double all = static_cast<double>(whose.totals.rss_bytes);
  for (const WhoseRow& row : whose.rows) {
    if (row.rss_bytes >= 0) {
      text += Line(row.label.c_str(), row.rss_bytes, all);
    } else {  // the target grew between two looks
      text += "  " + row.label + ": -" + ReadableCount(-row.rss_bytes) + "\n";
    }
  }
  text += Line("resident (Rss)", whose.totals.rss_bytes, all);
  text += "  shared fairly (Pss) " + Size(whose.totals.pss_bytes) +
          ", swapped out " + Size(whose.totals.swap_bytes) + "\n";
  const auto not_walked =
      std::count_if(whose.c_heaps.begin(), whose.c_heaps.end(),
                    [](const CHeap& heap) { return !heap.walked; });
  text += "  C library: " + std::to_string(whose.c_heaps.size()) + " heaps";
  if (not_walked > 0)
    text += ", in " + std::to_string(not_walked) +
            " of them free chunks could not be told";
  return text + "\n" + CArenasText(whose);
}

std::string StandstillText(const Standstill& stop) {
  char ms[32];
  std::snprintf(ms, sizeof(ms), "%.1f", stop.stopped_ms);
  return std::string("\nHeld still by ptrace for ") + ms +
         " ms: " + Size(stop.bytes) + " of arenas were read meanwhile" +
         (stop.bytes_late > 0
              ? ", " + Size(stop.bytes_late) + " after it ran again"
              : "") +
         "\n";
}

std::string WaterfallText(const HeapReading& heap) {
  const Statistics& s = heap.statistics;
  const std::uint64_t held = s.arenas_live * heap.geometry.arena_bytes;
  const double all = static_cast<double>(held);
  std::string text = "\npymalloc: " + ReadableCount(s.arenas_live) +
                     " arenas of " + Size(heap.geometry.arena_bytes) +
                     ", pools of " + Size(heap.geometry.pool_bytes) +
                     ", where every byte goes\n";
  text += Line("live blocks", s.allocated_bytes, all);
  text += Line("pool headers", s.pool_header_bytes, all);
  text += Line("pool tails", s.quantization_bytes, all);
  text += Line("free blocks", s.available_bytes, all);
  text += Line("free pools", s.unused_pools * heap.geometry.pool_bytes, all);
  text += Line("arena rest", s.alignment_bytes, all);
  text += Line("held", held, all);
  std::uint64_t idle = 0;
  for (const ArenaReading& arena : heap.arenas) idle += arena.idle_pages;
  text += "  page potential: " + ReadableCount(idle) + " pages in memory (" +
          Size(idle * kPageBytes) + ") hold nothing that is live\n";
  if (heap.pools_read_again > 0)
    text += "  the target ran on: " + ReadableCount(heap.pools_read_again) +
            " pools read again, " + ReadableCount(heap.torn_pools) +
            " left out\n";
  return text;
}

std::string AwayText(const Census& census, const HeapReading& heap) {
  std::string text = "\nBlocks away from release\n";
  for (const AwayRow& row : census.away) {
    const std::string range =
        row.least == row.most ? std::to_string(row.least)
        : row.most == UINT64_MAX
            ? "more"
            : std::to_string(row.least) + " to " + std::to_string(row.most);
    char line[128];
    std::snprintf(line, sizeof(line), "  %-14s %10s arenas %12s\n",
                  range.c_str(), ReadableCount(row.arenas).c_str(),
                  Size(row.arenas * heap.geometry.arena_bytes).c_str());
    text += line;
  }
  std::vector<const TypeRow*> pinners;
  for (const TypeRow& row : census.types)
    if (row.pinners > 0) pinners.push_back(&row);
  std::stable_sort(pinners.begin(), pinners.end(),
                   [](const TypeRow* a, const TypeRow* b) {
                     return a->pinners > b->pinners;
                   });
  text += "  the nearer half, " + ReadableCount(census.pinned_arenas) +
          " arenas, is held by " + ReadableCount(census.pinners) + " blocks";
  for (std::size_t i = 0; i < std::min(kPinnersShown, pinners.size()); ++i)
    text += (i == 0 ? ": " : ", ") + pinners[i]->name + " " +
            ReadableCount(pinners[i]->pinners);
  return text + "\n";
}

std::string TypesText(const Census& census) {
  char line[160];
  std::string text = "\nLive blocks by type";
  std::snprintf(line, sizeof(line), "%40s %14s %12s\n", "blocks", "bytes",
                "pinners");
  text += line;
  for (std::size_t i = 0; i < std::min(kTypesShown, census.types.size()); ++i) {
    const TypeRow& row = census.types[i];
    std::snprintf(line, sizeof(line), "  %-42.42s %14s %14s %12s\n",
                  row.name.c_str(), ReadableCount(row.blocks).c_str(),
                  ReadableCount(row.bytes).c_str(),
                  ReadableCount(row.pinners).c_str());
    text += line;
  }
  if (census.types.size() > kTypesShown)
    text += "  and " + std::to_string(census.types.size() - kTypesShown) +
            " more (--json has all)\n";
  text += "\nLive blocks by owner\n";
  for (std::size_t i = 0; i < kOwners; ++i) {
    const OwnerRow& row = census.owners[i];
    std::snprintf(
        line, sizeof(line), "  %-42s %14s %14s %12s\n",
        NameOf(static_cast<Owner>(i)), ReadableCount(row.blocks).c_str(),
        ReadableCount(row.bytes).c_str(), ReadableCount(row.pinners).c_str());
    text += line;
  }
  return text;
}

}  // namespace

std::string InspectionText(const Inspection& inspection) {
  std::string text;
  for (const std::string& sentence : VerdictSentences(inspection))
    text += sentence + "\n";
  if (inspection.standstill) text += StandstillText(*inspection.standstill);
  if (inspection.by_headers)
    text +=
        "\nFound by its pools' headers, not by the interpreter's records: how "
        "many arenas came and went is not known\n";
  if (inspection.whose) text += WhoseText(*inspection.whose);
  if (inspection.thread_states) {
    std::set<std::int64_t> interpreters;
    for (const ThreadState& state : *inspection.thread_states)
      interpreters.insert(state.interpreter);
    const auto running = std::count_if(
        inspection.thread_states->begin(), inspection.thread_states->end(),
        [](const ThreadState& state) { return state.runs_python; });
    text +=
        "  thread states: " + ReadableCount(inspection.thread_states->size()) +
        (interpreters.size() == 1
             ? " in the one interpreter"
             : " in " + ReadableCount(interpreters.size()) + " interpreters") +
        ", " + ReadableCount(static_cast<std::uint64_t>(running)) +
        " of them in Python code\n";
  } else {
    text += "  thread states: not told\n";
  }
  for (std::size_t i = 0; i < inspection.heaps.size(); ++i) {
    const HeapInspection& heap = inspection.heaps[i];
    if (inspection.heaps.size() > 1)
      text += "\nHeap " + std::to_string(i + 1) + " of " +
              std::to_string(inspection.heaps.size()) +
              " (an interpreter's own)\n";
    text += WaterfallText(heap.reading);
    text += AwayText(heap.census, heap.reading);
    text += TypesText(heap.census);
  }
  return text;
}

std::string InspectionLine(const Inspection& inspection) {
  const WhoseMemory whose = inspection.whose.value_or(WhoseMemory());
  std::uint64_t arenas = 0, held = 0, live = 0, idle = 0, torn = 0;
  const TypeRow* top = nullptr;
  for (const HeapInspection& heap : inspection.heaps) {
    arenas += heap.reading.statistics.arenas_live;
    held +=
        heap.reading.statistics.arenas_live * heap.reading.geometry.arena_bytes;
    for (const ArenaReading& arena : heap.reading.arenas)
      idle += arena.idle_pages * kPageBytes;
    for (const TypeRow& row : heap.census.types)
      if (row.pinners > (top == nullptr ? 0 : top->pinners)) top = &row;
    live += heap.reading.statistics.allocated_bytes;
    torn += heap.reading.torn_pools;
  }
  return "Rss " + Size(whose.totals.rss_bytes) + ", pymalloc " +
         ReadableCount(arenas) + " arenas hold " + Size(held) + ", live " +
         Size(live) + ", releasable " + Size(idle) +
         (top == nullptr ? ""
                         : ", top pinner " + top->name + " " +
                               ReadableCount(top->pinners)) +
         "; C library live " +
         Size(whose.RowBytes("c_live") + whose.RowBytes("c_large")) +
         ", free " + Size(whose.RowBytes("c_free")) +
         (torn > 0 ? "; " + ReadableCount(torn) + " torn pools" : "");
}

}  // namespace arenalab
