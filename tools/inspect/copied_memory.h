// A target's memory, parts of it as they were when they were copied: so that a
// heap can be looked at in peace while its process runs on.
//
// What was not copied is read from the target. One thread.
#pragma once

#include <memory>
#include <vector>

#include "tools/inspect/target_memory.h"

namespace arenalab {

class CopiedMemory : public TargetMemory {
 public:
  // `target` outlives this.
  explicit CopiedMemory(TargetMemory& target) : target_(target) {
    mappings_ = target.mappings();
  }

  // Room for [begin, end), so that Copy() need not wait for memory of its own.
  // REQUIRES: whole pages that overlap no other copy.
  void Prepare(std::uint64_t begin, std::uint64_t end) {
    Copied copy;
    copy.begin = begin;
    copy.end = end;
    copy.bytes = std::make_unique<char[]>(end - begin);  // touched: zeroed
    const auto after = std::upper_bound(
        copies_.begin(), copies_.end(), begin,
        [](std::uint64_t at, const Copied& c) { return at < c.begin; });
    copies_.insert(after, std::move(copy));
  }
  // The content as it is now. Makes room where Prepare() did not.
  void Copy(std::uint64_t begin, std::uint64_t end) {
    Copied* copy = At(begin);
    if (copy == nullptr || copy->begin != begin || copy->end != end) {
      if (copy != nullptr) return;
      Prepare(begin, end);
      copy = At(begin);
    }
    copy->pages = target_.ReadContent(begin, end, copy->bytes.get());
  }

  std::size_t Read(std::uint64_t address, void* out,
                   std::size_t bytes) override {
    const Copied* copy = At(address);
    if (copy == nullptr || copy->pages.empty() || bytes > copy->end - address)
      return target_.Read(address, out, bytes);
    std::memcpy(out, copy->bytes.get() + (address - copy->begin), bytes);
    return bytes;
  }
  std::size_t ReadPresent(std::uint64_t address, void* out,
                          std::size_t bytes) override {
    const Copied* copy = At(address);
    return copy == nullptr || copy->pages.empty()
               ? target_.ReadPresent(address, out, bytes)
               : Read(address, out, bytes);
  }
  std::vector<PageState> Pages(std::uint64_t begin,
                               std::uint64_t end) override {
    const Copied* copy = At(begin);
    if (copy == nullptr || copy->pages.empty() || end > copy->end)
      return target_.Pages(begin, end);
    const auto first = copy->pages.begin() + (begin - copy->begin) / kPageBytes;
    return {first, first + (end - begin) / kPageBytes};
  }

 private:
  struct Copied {
    std::uint64_t begin;
    std::uint64_t end;
    std::unique_ptr<char[]> bytes;
    std::vector<PageState> pages;  // empty: not copied yet
  };

  Copied* At(std::uint64_t address) {
    auto after = std::upper_bound(
        copies_.begin(), copies_.end(), address,
        [](std::uint64_t at, const Copied& c) { return at < c.begin; });
    if (after == copies_.begin()) return nullptr;
    --after;
    return address < after->end ? &*after : nullptr;
  }

  TargetMemory& target_;
  std::vector<Copied> copies_;  // ascending
};

}  // namespace arenalab
