// Walks glibc's heaps chunk by chunk.
#include "tools/inspect/c_heap.h"

#include <algorithm>
#include <map>
#include <optional>

namespace arenalab {
namespace {

constexpr std::uint64_t kThreadHeapBytes = 64ull << 20;
constexpr std::uint64_t kSizeMask = ~std::uint64_t{7};
constexpr std::uint64_t kPreviousInUse = 1;
constexpr std::uint64_t kIsMapped = 2;
constexpr std::uint64_t kLeastChunk = 32;

// Words at ascending addresses, a window at a time.
class Window {
 public:
  Window(TargetMemory& memory, std::uint64_t end)
      : memory_(memory), end_(end), bytes_(kBytes) {}

  std::uint64_t WordAt(std::uint64_t address) {
    if (address < begin_ || address + 8 > until_) {
      begin_ = address & ~(kPageBytes - 1);
      until_ = std::min(begin_ + kBytes, end_);
      memory_.ReadContent(begin_, until_, bytes_.data());
    }
    std::uint64_t word;
    std::memcpy(&word, bytes_.data() + (address - begin_), sizeof(word));
    return word;
  }

 private:
  static constexpr std::uint64_t kBytes = 1 << 20;
  TargetMemory& memory_;
  std::uint64_t end_;
  std::uint64_t begin_ = 0;
  std::uint64_t until_ = 0;
  std::vector<char> bytes_;
};

// Calls free_chunk(begin, end) for each; false if the chain does not end where
// the heap does.
template <class Visitor>
bool WalkChunks(Window& window, std::uint64_t first, std::uint64_t end,
                Visitor&& free_chunk) {
  std::uint64_t at = first;
  std::uint64_t head = window.WordAt(at + 8);
  for (;;) {
    const std::uint64_t size = head & kSizeMask;
    // Of a heap that another one follows: two fences of 16 bytes.
    const bool fence = size == 16 && end - at <= 32;
    if ((size < kLeastChunk && !fence) || size % 16 != 0 || size > end - at)
      return false;
    const std::uint64_t next = at + size;
    if (next == end) {
      free_chunk(at, end);  // the top
      return true;
    }
    if (end - next < 16) return false;
    const std::uint64_t next_head = window.WordAt(next + 8);
    if ((next_head & kPreviousInUse) == 0) free_chunk(at, next);
    if ((next_head & kSizeMask) == 0) return next + 16 == end;
    at = next;
    head = next_head;
  }
}

class HeapReader {
 public:
  HeapReader(TargetMemory& memory, CHeap* heap)
      : memory_(memory),
        heap_(heap),
        free_(((heap->end - heap->begin) + kPageBytes - 1) / kPageBytes) {}

  bool TryFrom(Window& window, std::uint64_t first) {
    std::fill(free_.begin(), free_.end(), 0);
    heap_->free_chunks = 0;
    return WalkChunks(window, first, heap_->end,
                      [&](std::uint64_t begin, std::uint64_t end) {
                        ++heap_->free_chunks;
                        Mark(begin, end);
                      });
  }

  void Finish(bool walked) {
    heap_->walked = walked;
    const auto pages = memory_.Pages(heap_->begin, heap_->end);
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (pages[i] != PageState::kPresent) continue;
      const std::uint64_t free = walked ? free_[i] : 0;
      heap_->present_free_bytes += free;
      heap_->present_live_bytes += kPageBytes - free;
      if (free == kPageBytes) heap_->trimmable_bytes += kPageBytes;
    }
  }

 private:
  void Mark(std::uint64_t begin, std::uint64_t end) {
    while (begin < end) {
      const std::uint64_t next =
          std::min(end, (begin / kPageBytes + 1) * kPageBytes);
      free_[(begin - heap_->begin) / kPageBytes] += next - begin;
      begin = next;
    }
  }

  TargetMemory& memory_;
  CHeap* heap_;
  std::vector<std::uint64_t> free_;  // bytes, by page
};

// The record at the start of a thread's heap.
struct HeapInfo {
  std::uint64_t arena;
  std::uint64_t previous;
  std::uint64_t size;
  std::uint64_t writable;
};

std::optional<CHeap> ThreadHeapAt(TargetMemory& memory, std::uint64_t address,
                                  std::uint64_t mapping_end) {
  HeapInfo info;
  const auto page = memory.Pages(address, address + kPageBytes);
  if (page.front() == PageState::kAbsent || !memory.ReadValue(address, &info))
    return std::nullopt;
  const Mapping* arena = memory.Find(info.arena);
  if (info.size < kPageBytes || info.size > kThreadHeapBytes ||
      info.size % kPageBytes != 0 || info.size > mapping_end - address ||
      info.previous % kThreadHeapBytes != 0 || arena == nullptr ||
      !arena->writable ||
      (info.previous == 0 && info.arena - address >= kPageBytes))
    return std::nullopt;
  CHeap heap;
  heap.begin = address;
  heap.end = address + info.size;
  heap.arena = info.arena;
  return heap;
}

}  // namespace

std::vector<CHeap> FindCHeaps(TargetMemory& memory) {
  std::vector<CHeap> heaps;
  for (const Mapping& mapping : memory.mappings()) {
    if (!mapping.writable || mapping.shared) continue;
    if (mapping.path == "[heap]") {
      CHeap heap;
      heap.begin = mapping.begin;
      heap.end = mapping.end;
      heap.is_main = true;
      Window window(memory, heap.end);
      HeapReader reader(memory, &heap);
      reader.Finish(reader.TryFrom(window, heap.begin));
      heaps.push_back(heap);
    } else if (mapping.path.empty()) {
      for (std::uint64_t at =
               (mapping.begin + kThreadHeapBytes - 1) & ~(kThreadHeapBytes - 1);
           at < mapping.end; at += kThreadHeapBytes) {
        std::optional<CHeap> heap = ThreadHeapAt(memory, at, mapping.end);
        if (!heap) continue;
        Window window(memory, heap->end);
        HeapReader reader(memory, &*heap);
        bool walked = false;
        // The first chunk follows the heap's record, and in an arena's first
        // heap the arena's own, whose size is the release's.
        for (std::uint64_t first = at + 32; !walked && first < at + kPageBytes;
             first += 16)
          walked = reader.TryFrom(window, first);
        reader.Finish(walked);
        heaps.push_back(*heap);
      }
    }
  }
  return heaps;
}

std::uint64_t MappedChunkBytes(TargetMemory& memory, std::uint64_t address) {
  std::uint64_t head[2];
  if (!memory.ReadValue(address, &head)) return 0;
  const std::uint64_t size = head[1] & kSizeMask;
  if (head[0] != 0 || (head[1] & 7) != kIsMapped || size % kPageBytes != 0 ||
      size == 0 || size > 1ull << 40)
    return 0;
  return size;
}

std::vector<CArena> ArenasOf(const std::vector<CHeap>& heaps) {
  std::map<std::uint64_t, CArena> by_record;
  for (const CHeap& heap : heaps) {
    CArena& arena = by_record[heap.arena];
    arena.arena = heap.arena;
    ++arena.heaps;
    arena.held_bytes += heap.end - heap.begin;
    arena.live_bytes += heap.present_live_bytes;
    arena.free_bytes += heap.present_free_bytes;
    arena.trimmable_bytes += heap.trimmable_bytes;
  }
  std::vector<CArena> arenas;
  for (const auto& [record, arena] : by_record) arenas.push_back(arena);
  std::stable_sort(
      arenas.begin(), arenas.end(), [](const CArena& a, const CArena& b) {
        return a.live_bytes + a.free_bytes > b.live_bytes + b.free_bytes;
      });
  return arenas;
}

}  // namespace arenalab
