// A forked child's arenas as they were at its fork, and what has become of
// them: which of the pages that it shared with its parent it has copied, and
// why.
//
// COPIED. A page whose frame is another one than at the fork (pagemap's PFN,
// which root sees), and that nobody shares any more (its exclusive bit);
// without PFNs the bit alone, which also says so when the parent copied its
// own.
//
// WHY. Word by word against the page at the fork; the free lists of both times
// tell what each block is. In a page can be found:
//
//   collector    copied while a collection of generation 1 or older ran
//   allocator    a word of a pool's header, or the link in a free block
//   references   only the reference count of an object that lives on
//   put back     nothing differs: most likely a count that went up and down
//   links        only the collector's links of an object that lives on: one
//                beside it in the collector's list was made or died
//   program      a live object's content, a block that is new or was given up
//   several      more than one of the four kinds of words
//
// A page is judged once, when it is first seen to be copied.
//
// SOURCE: pagemap of Documentation/admin-guide/mm/pagemap.rst.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/live_process.h"
#include "tools/inspect/object_types.h"

namespace arenalab {

enum class CopyCause : std::uint8_t {
  kCollector,
  kAllocator,
  kReferences,
  kPutBack,
  kLinks,
  kProgram,
  kSeveral
};
inline constexpr std::size_t kCopyCauses = 7;
// "collector", ... as above.
const char* NameOf(CopyCause cause);

using CauseCounts = std::array<std::uint64_t, kCopyCauses>;  // pages

struct CopyCounts {
  std::uint64_t pages = 0;  // of arenas, with content at the fork
  std::uint64_t gone = 0;   // of these, given back since
  std::uint64_t fresh = 0;  // without content at the fork, with it now
  CauseCounts by_cause{};
  std::map<std::uint64_t, CauseCounts> by_block_bytes;  // of the page's pool
  // Pages in which a block that such an object had, or has, was written.
  std::map<std::string, std::uint64_t> by_type;

  std::uint64_t copied() const;
  void Add(const CopyCounts& other);
};

struct KnownHeap {
  AllocatorState state;
  GeometryValues geometry;
};

class ForkImage {
 public:
  // REQUIRES: `pid` stands still right after its fork. `heaps`: its parent's,
  // as far as known; where there are none, they are searched for and stored.
  // Content that `before` has too is shared with it. Throws InputError if the
  // process cannot be read.
  ForkImage(int pid, std::vector<KnownHeap>* heaps, const ForkImage* before);
  ~ForkImage();
  ForkImage(const ForkImage&) = delete;
  ForkImage& operator=(const ForkImage&) = delete;

  // Judges the pages that were copied since the last call. The process may run.
  void Look(bool collecting);

  const CopyCounts& counts() const { return counts_; }
  bool has_arenas() const { return !arenas_.empty(); }
  // Frames are seen; else the exclusive bit alone decides.
  bool sees_frames() const { return sees_frames_; }

 private:
  using Page = std::array<unsigned char, kPageBytes>;
  struct Arena {
    std::uint64_t base;
    std::uint64_t begin;  // of its pages
    std::uint32_t index;
    GeometryValues geometry;
    std::vector<std::shared_ptr<const Page>> pages;  // nullptr: no content
    std::vector<std::uint64_t> frames;
    std::vector<bool> judged;
  };
  struct Words;

  std::vector<std::uint64_t> ReadPagemap(std::uint64_t begin,
                                         std::size_t pages) const;
  void LookAtArena(Arena* arena, bool collecting);
  void Judge(const Arena& arena, std::size_t page, bool collecting);
  void Compare(const Arena& arena, std::uint64_t pool, std::uint64_t from,
               std::uint64_t to, Words* words);

  LiveProcess process_;
  ObjectTypes types_;
  int pagemap_fd_ = -1;
  bool sees_frames_ = false;
  std::vector<Arena> arenas_;
  CopyCounts counts_;
  std::vector<unsigned char> then_, now_;  // a pool
};

}  // namespace arenalab
