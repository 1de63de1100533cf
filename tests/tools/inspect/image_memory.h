// A target that never ran: memory that a test wrote itself.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tools/inspect/target_memory.h"

namespace arenalab {

class ImageMemory : public TargetMemory {
 public:
  // A writable mapping of zeros. REQUIRES: whole pages, above all before it.
  void Map(std::uint64_t begin, std::uint64_t bytes,
           const std::string& path = "") {
    Mapping mapping;
    mapping.path = path;
    mapping.begin = begin;
    mapping.end = begin + bytes;
    mapping.readable = mapping.writable = true;
    mappings_.push_back(mapping);
    contents_[begin].resize(bytes);
  }

  // The bytes at `address`. REQUIRES: they are mapped.
  unsigned char* At(std::uint64_t address) {
    auto after = contents_.upper_bound(address);
    --after;
    return after->second.data() + (address - after->first);
  }
  template <class T>
  void Write(std::uint64_t address, const T& value) {
    std::memcpy(At(address), &value, sizeof(value));
  }

  std::size_t Read(std::uint64_t address, void* out,
                   std::size_t bytes) override {
    ++reads;
    std::size_t done = 0;
    while (done < bytes) {
      const Mapping* mapping = Find(address + done);
      if (mapping == nullptr) break;
      const std::size_t piece =
          std::min<std::size_t>(bytes - done, mapping->end - address - done);
      std::memcpy(static_cast<char*>(out) + done, At(address + done), piece);
      done += piece;
    }
    return done;
  }

  std::vector<PageState> Pages(std::uint64_t begin,
                               std::uint64_t end) override {
    std::vector<PageState> pages;
    for (; begin < end; begin += kPageBytes)
      pages.push_back(Find(begin) == nullptr ? PageState::kAbsent
                                             : PageState::kPresent);
    return pages;
  }

  std::uint64_t reads = 0;

 private:
  std::map<std::uint64_t, std::vector<unsigned char>> contents_;
};

}  // namespace arenalab
