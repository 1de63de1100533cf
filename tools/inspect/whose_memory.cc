// Divides the resident set among its owners.
#include "tools/inspect/whose_memory.h"

#include <algorithm>

#include "tools/replay/whose_words.h"

namespace arenalab {
namespace {

enum Row {
  kCode,
  kStacks,
  kPymallocLive,
  kPymallocFree,
  kPymallocHeaders,
  kCLive,
  kCFree,
  kCLarge,
  kOther,
  kUnknown,
  kRows
};

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
};

std::uint64_t PresentBytes(TargetMemory& memory, std::uint64_t begin,
                           std::uint64_t end) {
  const auto pages = memory.Pages(begin, end);
  return kPageBytes * static_cast<std::uint64_t>(std::count(
                          pages.begin(), pages.end(), PageState::kPresent));
}

// Of [begin, end), which belongs to nobody yet, the resident bytes of the C
// library's blocks that have a mapping of their own.
std::uint64_t LargeBlockBytes(TargetMemory& memory, std::uint64_t begin,
                              std::uint64_t end) {
  std::uint64_t large = 0;
  for (std::uint64_t at = begin; at < end;) {
    const auto page = memory.Pages(at, at + kPageBytes);
    const std::uint64_t bytes =
        page.front() == PageState::kPresent ? MappedChunkBytes(memory, at) : 0;
    if (bytes == 0 || bytes > end - at) {
      at += kPageBytes;
      continue;
    }
    large += PresentBytes(memory, at, at + bytes);
    at += bytes;
  }
  return large;
}

class Division {
 public:
  Division(TargetMemory& memory, const std::vector<HeapReading>& heaps,
           WhoseMemory* whose)
      : memory_(memory), whose_(whose) {
    for (const HeapReading& heap : heaps)
      for (const ArenaReading& arena : heap.arenas) {
        taken_.push_back(
            {arena.base & ~(kPageBytes - 1),
             (arena.base + heap.geometry.arena_bytes + kPageBytes - 1) &
                 ~(kPageBytes - 1)});
        const std::uint64_t present = arena.present_pages * kPageBytes;
        Add(kPymallocLive, arena.present_live_bytes);
        Add(kPymallocHeaders, arena.present_header_bytes);
        Add(kPymallocFree,
            present - arena.present_live_bytes - arena.present_header_bytes);
      }
    for (const CHeap& heap : whose->c_heaps) {
      taken_.push_back({heap.begin, heap.end});
      Add(kCLive, heap.present_live_bytes);
      Add(kCFree, heap.present_free_bytes);
    }
    std::sort(taken_.begin(), taken_.end(),
              [](const Range& a, const Range& b) { return a.begin < b.begin; });
  }

  void Divide() {
    const Mapping* before = nullptr;
    bool module = false;  // the mapping before was a file's
    for (const Mapping& mapping : memory_.mappings()) {
      const bool adjacent = before != nullptr && before->end == mapping.begin;
      const bool guarded = adjacent && !before->readable && !before->writable &&
                           before->bytes() <= 1 << 20;
      const bool anonymous = mapping.path.empty() && !mapping.shared;
      // An arena may lie directly behind a module, in one mapping with its
      // static data.
      const bool is_bss = anonymous && adjacent && module && mapping.writable &&
                          !IsTaken(mapping);
      if (mapping.is_file() || is_bss) {
        Add(mapping.shared && mapping.writable ? kOther : kCode,
            mapping.rss_bytes);
      } else if (mapping.path == "[stack]") {
        Add(kStacks, mapping.rss_bytes);
      } else if (anonymous && guarded && !IsTaken(mapping)) {
        Add(kStacks, mapping.rss_bytes);  // of a thread
      } else if (anonymous && mapping.writable) {
        Add(kCLarge, LargeIn(mapping));
      } else if (mapping.path != "[heap]" && !anonymous) {
        Add(kOther, mapping.rss_bytes);
      }
      module = mapping.is_file();
      before = &mapping;
    }
    std::int64_t known = 0;
    for (int row = 0; row < kUnknown; ++row) known += rows_[row];
    rows_[kUnknown] =
        static_cast<std::int64_t>(whose_->totals.rss_bytes) - known;
  }

  std::int64_t bytes(int row) const { return rows_[row]; }

 private:
  void Add(Row row, std::uint64_t bytes) {
    rows_[row] += static_cast<std::int64_t>(bytes);
  }

  bool IsTaken(const Mapping& mapping) const {
    return std::any_of(taken_.begin(), taken_.end(), [&](const Range& range) {
      return range.begin < mapping.end && range.end > mapping.begin;
    });
  }

  std::uint64_t LargeIn(const Mapping& mapping) {
    std::uint64_t large = 0;
    std::uint64_t at = mapping.begin;
    for (const Range& range : taken_) {
      if (range.end <= at || range.begin >= mapping.end) continue;
      if (range.begin > at) large += LargeBlockBytes(memory_, at, range.begin);
      at = range.end;
    }
    if (at < mapping.end) large += LargeBlockBytes(memory_, at, mapping.end);
    return large;
  }

  TargetMemory& memory_;
  WhoseMemory* whose_;
  std::vector<Range> taken_;
  std::int64_t rows_[kRows] = {};
};

}  // namespace

std::int64_t WhoseMemory::RowBytes(const std::string& key) const {
  for (const WhoseRow& row : rows)
    if (row.key == key) return row.rss_bytes;
  return 0;
}

WhoseMemory TellWhoseMemory(TargetMemory& memory, const MemoryTotals& totals,
                            const std::vector<HeapReading>& heaps) {
  static constexpr const char* kNames[kRows][2] = {
      {"code", "code, files and static data"},
      {"stacks", "stacks"},
      {"pymalloc_live", "pymalloc: live blocks"},
      {"pymalloc_free", "pymalloc: free, still held"},
      {"pymalloc_headers", "pymalloc: pool headers"},
      {"c_live", "C library: live"},
      {"c_free", "C library: free, still held"},
      {"c_large", "C library: blocks with a mapping of their own"},
      {"other", "shared and special mappings"},
      {"unknown", "unknown"}};
  WhoseMemory whose;
  whose.totals = totals;
  whose.c_heaps = FindCHeaps(memory);
  Division division(memory, heaps, &whose);
  division.Divide();
  for (int row = 0; row < kRows; ++row)
    whose.rows.push_back({kNames[row][0], kNames[row][1], division.bytes(row)});
  return whose;
}

std::string WhoseSentence(const WhoseMemory& whose) {
  return WhoseWords(
      whose.totals.rss_bytes,
      {{"pymalloc's",
        whose.RowBytes("pymalloc_live") + whose.RowBytes("pymalloc_free") +
            whose.RowBytes("pymalloc_headers"),
        whose.RowBytes("pymalloc_free")},
       {"the C library's",
        whose.RowBytes("c_live") + whose.RowBytes("c_free") +
            whose.RowBytes("c_large"),
        whose.RowBytes("c_free")},
       {"code's, files' and static data's", whose.RowBytes("code"), 0},
       {"stacks'", whose.RowBytes("stacks"), 0},
       {"in shared and special mappings", whose.RowBytes("other"), 0},
       {"unknown", whose.RowBytes("unknown"), 0}});
}

}  // namespace arenalab
