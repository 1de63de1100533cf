// The mappings of a process, as the kernel lists them in /proc/PID/smaps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arenalab {

// Of x86-64; a hugepage counts as 512 of them.
inline constexpr std::uint64_t kPageBytes = 4096;

// Addresses and bytes. The sizes are 0 where nobody told them (a core file).
struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::string path;  // a file, [heap], [stack]; empty: anonymous
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;
  std::uint64_t swap_bytes = 0;

  std::uint64_t bytes() const { return end - begin; }
  bool is_file() const { return !path.empty() && path.front() == '/'; }
};

// What a whole process holds: smaps_rollup.
struct MemoryTotals {
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;
  std::uint64_t swap_bytes = 0;
};

// Ascending by address. Lines that are not understood are passed over.
std::vector<Mapping> ParseSmaps(const std::string& text);

// The sums over all mappings of `text`; of smaps_rollup, its one entry.
MemoryTotals TotalsOf(const std::vector<Mapping>& mappings);

}  // namespace arenalab
