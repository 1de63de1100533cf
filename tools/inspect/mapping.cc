// Reads /proc/PID/smaps and smaps_rollup.
#include "tools/inspect/mapping.h"

#include <cinttypes>
#include <cstdio>
#include <sstream>

namespace arenalab {
namespace {

// `7f00-7f10 rw-p 00000000 08:01 123     /path with spaces`
bool ParseHead(const std::string& line, Mapping* mapping) {
  char rights[5] = {};
  int path_at = 0;
  if (std::sscanf(line.c_str(),
                  "%" SCNx64 "-%" SCNx64 " %4[-rwxsp] %*x %*x:%*x %*u %n",
                  &mapping->begin, &mapping->end, rights, &path_at) < 3)
    return false;
  mapping->readable = rights[0] == 'r';
  mapping->writable = rights[1] == 'w';
  mapping->executable = rights[2] == 'x';
  mapping->shared = rights[3] == 's';
  if (path_at > 0) mapping->path = line.substr(path_at);
  return true;
}

}  // namespace

std::vector<Mapping> ParseSmaps(const std::string& text) {
  std::vector<Mapping> mappings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Mapping head;
    if (ParseHead(line, &head)) {
      mappings.push_back(std::move(head));
      continue;
    }
    char key[32];
    std::uint64_t kib;
    if (mappings.empty() ||
        std::sscanf(line.c_str(), "%31[A-Za-z_]: %" SCNu64, key, &kib) != 2)
      continue;
    const std::string name = key;
    if (name == "Rss") mappings.back().rss_bytes = kib * 1024;
    if (name == "Pss") mappings.back().pss_bytes = kib * 1024;
    if (name == "Swap") mappings.back().swap_bytes = kib * 1024;
  }
  return mappings;
}

MemoryTotals TotalsOf(const std::vector<Mapping>& mappings) {
  MemoryTotals totals;
  for (const Mapping& mapping : mappings) {
    totals.rss_bytes += mapping.rss_bytes;
    totals.pss_bytes += mapping.pss_bytes;
    totals.swap_bytes += mapping.swap_bytes;
  }
  return totals;
}

}  // namespace arenalab
