// Whose memory is it: the resident set, page by page, to the byte.
//
//   RSS = code, files and static data + stacks + pymalloc (live, free, headers)
//       + C library's heap (live, free) + its large blocks + other + unknown
//
// `unknown` is what remains of smaps_rollup, so the sum is exact by
// construction; what makes it worth something is that unknown stays small. A
// page of zeros that was only ever read counts nowhere, as in Rss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/inspect/c_heap.h"
#include "tools/inspect/heap_reading.h"

namespace arenalab {

struct WhoseRow {
  std::string key;  // of the JSON
  std::string label;
  std::int64_t rss_bytes = 0;
};

struct WhoseMemory {
  MemoryTotals totals;
  std::vector<WhoseRow> rows;  // in the order above
  std::vector<CHeap> c_heaps;

  std::int64_t RowBytes(const std::string& key) const;
};

// `totals` are smaps_rollup's.
WhoseMemory TellWhoseMemory(TargetMemory& memory, const MemoryTotals& totals,
                            const std::vector<HeapReading>& heaps);

// "87 % of 1.43 GiB is the C library's (1.10 GiB of it free); pymalloc has 4
// MiB." : the largest owner first.
std::string WhoseSentence(const WhoseMemory& whose);

}  // namespace arenalab
