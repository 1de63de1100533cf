// Pages at a fork and later; the rules are fork_image.h's.
#include "tools/cow/fork_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "allocators/pymalloc/size_class.h"
#include "tools/inspect/pool_reading.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kPresent = 1ull << 63;
constexpr std::uint64_t kExclusive = 1ull << 56;
constexpr std::uint64_t kFrameMask = (1ull << 55) - 1;

// Of PyTypeObject's flags: words in front of the collector's header (3.11+).
constexpr std::uint64_t kHasPreHeader = 1ull << 3 | 1ull << 4;
constexpr std::size_t kPreHeaderOffset = 32;
constexpr std::size_t kPreHeaderBytes = 16;

}  // namespace

const char* NameOf(CopyCause cause) {
  static constexpr const char* kNames[kCopyCauses] = {
      "collector", "allocator", "references", "put back",
      "links",     "program",   "several"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::uint64_t CopyCounts::copied() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t pages_of : by_cause) sum += pages_of;
  return sum;
}

void CopyCounts::Add(const CopyCounts& other) {
  pages += other.pages;
  gone += other.gone;
  fresh += other.fresh;
  for (std::size_t i = 0; i < kCopyCauses; ++i)
    by_cause[i] += other.by_cause[i];
  for (const auto& [bytes, causes] : other.by_block_bytes)
    for (std::size_t i = 0; i < kCopyCauses; ++i)
      by_block_bytes[bytes][i] += causes[i];
  for (const auto& [type, count] : other.by_type) by_type[type] += count;
}

// What was found to differ in a page.
struct ForkImage::Words {
  bool allocator = false, references = false, links = false, program = false;
  std::set<std::string> types;
  std::uint64_t block_bytes = 0;
};

ForkImage::ForkImage(int pid, std::vector<KnownHeap>* heaps,
                     const ForkImage* before)
    : process_(pid), types_(process_) {
  pagemap_fd_ = open(("/proc/" + std::to_string(pid) + "/pagemap").c_str(),
                     O_RDONLY | O_CLOEXEC);
  std::vector<KnownHeap> now;
  for (KnownHeap heap : *heaps)
    if (ReadAgain(process_, &heap.state)) now.push_back(std::move(heap));
  if (now.empty())
    for (AllocatorState& state : FindAllocatorStates(process_))
      if (const auto geometry = DecideGeometry(process_, state))
        now.push_back({std::move(state), *geometry});
  *heaps = now;
  std::map<std::uint64_t, const Arena*> of_before;
  if (before != nullptr)
    for (const Arena& arena : before->arenas_) of_before[arena.begin] = &arena;
  for (const KnownHeap& heap : now)
    for (const FoundArena& found : heap.state.arenas) {
      Arena arena;
      arena.base = found.record.base;
      arena.begin = arena.base & ~(kPageBytes - 1);
      arena.index = found.index;
      arena.geometry = heap.geometry;
      const std::uint64_t end =
          (arena.base + heap.geometry.arena_bytes + kPageBytes - 1) &
          ~(kPageBytes - 1);
      const std::size_t pages = (end - arena.begin) / kPageBytes;
      then_.resize(pages * kPageBytes);
      const auto states = process_.ReadContent(arena.begin, end, then_.data());
      const auto entries = ReadPagemap(arena.begin, pages);
      const auto same = of_before.find(arena.begin);
      for (std::size_t i = 0; i < pages; ++i) {
        const unsigned char* bytes = then_.data() + i * kPageBytes;
        std::shared_ptr<const Page> page;
        if (states[i] != PageState::kAbsent) {
          ++counts_.pages;
          if (same != of_before.end() && i < same->second->pages.size())
            page = same->second->pages[i];
          if (page == nullptr ||
              std::memcmp(page->data(), bytes, kPageBytes) != 0) {
            auto copy = std::make_shared<Page>();
            std::memcpy(copy->data(), bytes, kPageBytes);
            page = std::move(copy);
          }
        }
        arena.pages.push_back(std::move(page));
        arena.frames.push_back(entries[i] & kFrameMask);
        sees_frames_ = sees_frames_ || arena.frames.back() != 0;
      }
      arena.judged.resize(pages);
      arenas_.push_back(std::move(arena));
    }
}

ForkImage::~ForkImage() {
  if (pagemap_fd_ >= 0) close(pagemap_fd_);
}

std::vector<std::uint64_t> ForkImage::ReadPagemap(std::uint64_t begin,
                                                  std::size_t pages) const {
  std::vector<std::uint64_t> entries(pages);
  // What cannot be read (the process ended) stays 0: not present.
  if (pread(pagemap_fd_, entries.data(), pages * 8,
            static_cast<off_t>(begin / kPageBytes * 8)) < 0)
    entries.assign(pages, 0);
  return entries;
}

void ForkImage::Look(bool collecting) {
  counts_.gone = counts_.fresh = 0;
  for (Arena& arena : arenas_) LookAtArena(&arena, collecting);
}

void ForkImage::LookAtArena(Arena* arena, bool collecting) {
  const auto entries = ReadPagemap(arena->begin, arena->pages.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool present = (entries[i] & kPresent) != 0;
    if (arena->pages[i] == nullptr) {
      counts_.fresh += present && (entries[i] & kExclusive) != 0;
      continue;
    }
    if (!present) {
      counts_.gone += !arena->judged[i];
      continue;
    }
    const bool copied =
        (entries[i] & kExclusive) != 0 &&
        (!sees_frames_ || (entries[i] & kFrameMask) != arena->frames[i]);
    if (!copied || arena->judged[i]) continue;
    arena->judged[i] = true;
    Judge(*arena, i, collecting);
  }
}

void ForkImage::Judge(const Arena& arena, std::size_t page, bool collecting) {
  const GeometryValues& g = arena.geometry;
  const std::uint64_t begin = arena.begin + page * kPageBytes;
  const std::uint64_t end = begin + kPageBytes;
  const std::uint64_t first = FirstPool(g, arena.base);
  Words words;
  // A page of an unaligned arena may lie in no pool, or in two small ones.
  for (std::uint64_t pool =
           begin < first ? first : begin - (begin - first) % g.pool_bytes;
       pool < end && pool + g.pool_bytes <= arena.base + g.arena_bytes;
       pool += g.pool_bytes)
    Compare(arena, pool, std::max(begin, pool),
            std::min(end, pool + g.pool_bytes), &words);
  const int kinds =
      words.allocator + words.references + words.links + words.program;
  const CopyCause cause = collecting         ? CopyCause::kCollector
                          : kinds == 0       ? CopyCause::kPutBack
                          : kinds > 1        ? CopyCause::kSeveral
                          : words.allocator  ? CopyCause::kAllocator
                          : words.references ? CopyCause::kReferences
                          : words.links      ? CopyCause::kLinks
                                             : CopyCause::kProgram;
  ++counts_.by_cause[static_cast<std::size_t>(cause)];
  ++counts_.by_block_bytes[words.block_bytes][static_cast<std::size_t>(cause)];
  for (const std::string& type : words.types) ++counts_.by_type[type];
}

// The words of [from, to), which lies in `pool`.
void ForkImage::Compare(const Arena& arena, std::uint64_t pool,
                        std::uint64_t from, std::uint64_t to, Words* words) {
  const GeometryValues& g = arena.geometry;
  then_.assign(g.pool_bytes, 0);
  for (std::size_t i = 0; i < g.pool_bytes / kPageBytes; ++i) {
    const auto& page = arena.pages[(pool - arena.begin) / kPageBytes + i];
    if (page != nullptr)
      std::memcpy(then_.data() + i * kPageBytes, page->data(), kPageBytes);
  }
  now_.resize(g.pool_bytes);
  process_.ReadContent(pool, pool + g.pool_bytes, now_.data());
  const auto before = ReadPool(then_.data(), pool, g);
  const auto after = ReadPool(now_.data(), pool, g);
  if (before) words->block_bytes = before->block_bytes;
  const bool same_class =
      before && after && before->block_bytes == after->block_bytes;
  const auto live = [](const PoolReading& reading, std::size_t block) {
    return block < reading.is_live.size() && reading.is_live[block];
  };
  std::size_t last_block = ~std::size_t{0};
  HeldObject held;
  for (std::uint64_t at = from - pool; at < to - pool; at += 8) {
    if (std::memcmp(then_.data() + at, now_.data() + at, 8) == 0) continue;
    if (at < g.header_bytes) {
      words->allocator = true;
      continue;
    }
    if (!same_class) {  // emptied and taken for another class, or torn
      words->program = true;
      continue;
    }
    const std::size_t block = (at - g.header_bytes) / before->block_bytes;
    const std::size_t offset = (at - g.header_bytes) % before->block_bytes;
    const bool was = live(*before, block), is = live(*after, block);
    const unsigned char* const bytes =
        (was ? then_.data() : now_.data()) + at - offset;
    if (block != last_block) {
      last_block = block;
      held = was || is ? types_.Identify(bytes, before->block_bytes)
                       : HeldObject();
      if (was || is)
        words->types.insert(held.type == nullptr ? "(no object)"
                                                 : held.type->name);
    }
    if (!is && offset == 0) {
      words->allocator = true;  // the link of a free block
    } else if (!was || !is || held.type == nullptr) {
      words->program = true;
    } else if (offset == held.offset) {
      words->references = true;
    } else if (offset < held.offset &&
               !((held.type->flags & kHasPreHeader) != 0 &&
                 held.offset == kPreHeaderOffset && offset < kPreHeaderBytes)) {
      words->links = true;
    } else {
      words->program = true;
    }
  }
}

}  // namespace arenalab
