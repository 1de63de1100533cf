// The memory of a process that is looked at from outside, dead or alive.
//
// The mappings are those of the moment at which the object was made; reading
// what has gone since yields fewer bytes, never an error. Nothing is written
// to the target, and no anonymous page of it is touched that has no content
// yet: reading such a page would map one there.
//
// One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tools/inspect/mapping.h"

namespace arenalab {

enum class PageState : std::uint8_t { kAbsent, kPresent, kSwapped };

class TargetMemory {
 public:
  TargetMemory() = default;
  TargetMemory(const TargetMemory&) = delete;
  TargetMemory& operator=(const TargetMemory&) = delete;
  virtual ~TargetMemory() = default;

  const std::vector<Mapping>& mappings() const { return mappings_; }

  // How many bytes from `address` on could be read, up to `bytes`. Pages
  // without content read as zeros.
  virtual std::size_t Read(std::uint64_t address, void* out,
                           std::size_t bytes) = 0;

  // The same of pages that have content, as was just found: it need not be
  // looked up again.
  virtual std::size_t ReadPresent(std::uint64_t address, void* out,
                                  std::size_t bytes) {
    return Read(address, out, bytes);
  }

  // One value a page of [begin, end). REQUIRES: both are whole pages. A page of
  // zeros that was only ever read is absent, as in Rss.
  virtual std::vector<PageState> Pages(std::uint64_t begin,
                                       std::uint64_t end) = 0;

  // The mapping that holds `address`, or nullptr.
  const Mapping* Find(std::uint64_t address) const {
    auto after = std::upper_bound(
        mappings_.begin(), mappings_.end(), address,
        [](std::uint64_t a, const Mapping& m) { return a < m.begin; });
    if (after == mappings_.begin()) return nullptr;
    --after;
    return address < after->end ? &*after : nullptr;
  }

  template <class T>
  bool ReadValue(std::uint64_t address, T* value) {
    return Read(address, value, sizeof(T)) == sizeof(T);
  }

  // Reads [begin, end) into `out` with zeros where there is no content, as the
  // target itself would read it. The states of its pages. REQUIRES: whole
  // pages.
  std::vector<PageState> ReadContent(std::uint64_t begin, std::uint64_t end,
                                     void* out) {
    std::vector<PageState> pages = Pages(begin, end);
    char* const to = static_cast<char*>(out);
    for (std::size_t i = 0; i < pages.size();) {
      const bool absent = pages[i] == PageState::kAbsent;
      std::size_t j = i + 1;
      while (j < pages.size() && (pages[j] == PageState::kAbsent) == absent)
        ++j;
      const std::size_t bytes = (j - i) * kPageBytes;
      const std::size_t got = absent ? 0
                                     : ReadPresent(begin + i * kPageBytes,
                                                   to + i * kPageBytes, bytes);
      std::memset(to + i * kPageBytes + got, 0, bytes - got);
      i = j;
    }
    return pages;
  }

  // Calls visit(begin, end) for each run of pages of [from, to) that have
  // content. A mapping may be terabytes wide: page states are asked for in
  // parts, so a run is at most a part long.
  template <class Visitor>
  void VisitContent(std::uint64_t from, std::uint64_t to, Visitor&& visit) {
    constexpr std::uint64_t kPart = std::uint64_t{1} << 30;
    for (std::uint64_t part = from; part < to;
         part += std::min(kPart, to - part)) {
      const std::vector<PageState> pages =
          Pages(part, part + std::min(kPart, to - part));
      for (std::size_t i = 0; i < pages.size();) {
        std::size_t j = i;
        while (j < pages.size() && pages[j] != PageState::kAbsent) ++j;
        if (j > i) visit(part + i * kPageBytes, part + j * kPageBytes);
        i = j > i ? j : i + 1;
      }
    }
  }

 protected:
  std::vector<Mapping> mappings_;
};

}  // namespace arenalab
