// The search for pymalloc's own records; what vouches for them is in
// allocator_state.h.
#include "tools/inspect/allocator_state.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <optional>

#include "allocators/pymalloc/generation.h"

namespace arenalab {
namespace {

constexpr std::int64_t kWord = 8;

// Where the words are, counted in words from `arenas`. `high` follows `created`
// as `created` follows `live`.
struct Layout {
  std::int64_t max;
  std::int64_t unused;
  std::int64_t usable;
  std::int64_t live;
  std::int64_t created;

  std::int64_t high() const { return 2 * created - live; }
};
constexpr Layout kLayouts[] = {
    {1, 2, 3, 69, 70},       // as declared, with fingers: 3.12 and later
    {-1, -2, -3, -69, -70},  // reversed, with fingers: 3.8 - 3.11
    {-2, -1, 68, -3, -4},    // split by link-time optimisation: Debian's 3.11
    {-1, -2, -3, -4, -5},    // reversed: before 3.8
    {1, 2, 3, 4, 5},
};
constexpr int kLayoutCount = std::size(kLayouts);
// Words that a state spans to either side of `arenas`.
constexpr std::int64_t kSpan = 71;
constexpr std::uint32_t kFirstSlots = 16;
constexpr std::uint32_t kMostSlots = kFirstSlots << 20;

bool IsSlotCount(std::uint64_t n) {
  return n >= kFirstSlots && n <= kMostSlots && std::has_single_bit(n);
}

// A record with an arena that an allocator of any generation may have.
bool IsPlausible(const ArenaRecord& r) {
  constexpr std::uint64_t kMost = 2 * kMiB;
  return r.base % 16 == 0 && r.base >= 65536 && r.base < 1ull << 56 &&
         r.next_virgin_pool >= r.base && r.next_virgin_pool - r.base <= kMost &&
         r.next_virgin_pool % kPageBytes == 0 && r.total_pools >= 1 &&
         r.total_pools <= 512 && r.free_pools <= r.total_pools &&
         (r.free_list == 0 ||
          (r.free_list >= r.base && r.free_list - r.base < kMost &&
           r.free_list % kPageBytes == 0));
}

// `word` is where `arenas` may be: at `address`, and the words around it that
// the layout needs are there. Fills all of `state` if it is one.
bool Examine(TargetMemory& memory, const std::uint64_t* word,
             std::uint64_t address, int layout_number, AllocatorState* state) {
  const Layout& layout = kLayouts[layout_number];
  *state = {};
  state->address = address;
  state->layout = layout_number;
  state->records = *word;
  state->slots = static_cast<std::uint32_t>(word[layout.max]);
  state->usable = word[layout.usable];
  state->unused = word[layout.unused];
  const std::uint64_t live = word[layout.live];
  state->arenas_created = word[layout.created];
  state->arenas_high_water = word[layout.high()];
  const auto is_link = [&](std::uint64_t link) {
    return link == 0 ||
           (link >= state->records &&
            (link - state->records) % sizeof(ArenaRecord) == 0 &&
            (link - state->records) / sizeof(ArenaRecord) < state->slots);
  };
  if (live == 0 || live > state->slots || state->arenas_high_water < live ||
      state->arenas_created < state->arenas_high_water ||
      state->records % kWord != 0 || !is_link(state->unused) ||
      !is_link(state->usable))
    return false;
  const Mapping* mapping = memory.Find(state->records);
  if (mapping == nullptr || !mapping->writable ||
      mapping->end - state->records < state->slots * sizeof(ArenaRecord))
    return false;
  std::vector<ArenaRecord> records(state->slots);
  const std::size_t bytes = records.size() * sizeof(ArenaRecord);
  if (memory.Read(state->records, records.data(), bytes) != bytes) return false;
  for (std::uint32_t i = 0; i < state->slots; ++i) {
    if (records[i].base == 0) continue;
    if (!IsPlausible(records[i])) return false;
    state->arenas.push_back({i, records[i]});
  }
  // A running target may have taken or released one between two reads.
  const std::uint64_t counted = state->arenas.size();
  return counted != 0 && counted + 1 >= live && counted <= live + 1;
}

// Looks at words in a piece of memory, those at its rim included.
class Searcher {
 public:
  Searcher(TargetMemory& memory, std::vector<AllocatorState>* found)
      : memory_(memory), found_(found) {}

  void SearchPiece(std::uint64_t begin, const std::uint64_t* words,
                   std::int64_t first, std::int64_t last,
                   std::int64_t available) {
    for (std::int64_t at = first; at < last; ++at) {
      if (words[at] < kPageBytes) continue;
      for (int number = 0; number < kLayoutCount; ++number) {
        const Layout& layout = kLayouts[number];
        const std::int64_t max = at + layout.max;
        if (max < 0 || max >= available || !IsSlotCount(words[max])) continue;
        const auto inside = [&](std::int64_t offset) {
          return at + offset >= 0 && at + offset < available;
        };
        AllocatorState state;
        if (!inside(layout.high()) || !inside(layout.usable) ||
            !Examine(memory_, words + at,
                     begin + static_cast<std::uint64_t>(at * kWord), number,
                     &state))
          continue;
        found_->push_back(std::move(state));
        break;
      }
    }
  }

 private:
  TargetMemory& memory_;
  std::vector<AllocatorState>* found_;
};

constexpr std::uint64_t kPageMask = kPageBytes - 1;

struct Arena {
  std::uint64_t base;
  std::uint64_t bytes;
};

// What is carved of an arena tells of which size all of them are at least.
std::uint64_t ArenaBytesOf(const AllocatorState& state) {
  std::uint64_t most = 0;
  for (const FoundArena& arena : state.arenas)
    most = std::max(most, arena.record.next_virgin_pool - arena.record.base);
  return most <= Classic::kGeometry.arena_bytes ? Classic::kGeometry.arena_bytes
         : most <= Cpython311::kGeometry.arena_bytes
             ? Cpython311::kGeometry.arena_bytes
             : Cpython315HugePages::kGeometry.arena_bytes;
}

void SearchRun(TargetMemory& memory, std::uint64_t run_begin,
               std::uint64_t run_end, Searcher* searcher) {
  constexpr std::uint64_t kPiece = 4 * kMiB;
  std::vector<std::uint64_t> words;
  memory.VisitContent(
      run_begin, run_end, [&](std::uint64_t begin, std::uint64_t end) {
        for (std::uint64_t at = begin; at < end; at += kPiece) {
          const std::uint64_t to = std::min(at + kPiece, end);
          // The rim of a piece is read with both of its pieces.
          const std::uint64_t rim = kSpan * kWord;
          const std::uint64_t from = at - std::min(rim, at - begin);
          const std::uint64_t until = to + std::min(rim, end - to);
          words.resize((until - from) / kWord);
          const std::size_t got =
              memory.Read(from, words.data(), words.size() * kWord) / kWord;
          const auto index = [&](std::uint64_t address) {
            return std::min<std::int64_t>((address - from) / kWord, got);
          };
          searcher->SearchPiece(from, words.data(), index(at), index(to),
                                static_cast<std::int64_t>(got));
        }
      });
}

}  // namespace

std::vector<AllocatorState> FindAllocatorStates(TargetMemory& memory) {
  std::vector<AllocatorState> found;
  Searcher searcher(memory, &found);
  std::vector<Mapping> anonymous;
  // Static data may begin in a file's mapping and go on in an anonymous one
  // beside it: neighbours are searched as one.
  const std::vector<Mapping>& mappings = memory.mappings();
  for (std::size_t i = 0; i < mappings.size();) {
    if (!mappings[i].writable || mappings[i].shared || !mappings[i].readable) {
      ++i;
      continue;
    }
    Mapping run = mappings[i];
    for (++i;
         i < mappings.size() && mappings[i].begin == run.end &&
         mappings[i].writable && mappings[i].readable && !mappings[i].shared;
         ++i)
      run.end = mappings[i].end;
    // Static data first: with the main interpreter's arenas known, most of
    // what is anonymous need not be searched.
    if (run.path.empty())
      anonymous.push_back(run);
    else
      SearchRun(memory, run.begin, run.end, &searcher);
  }
  std::vector<Arena> arenas;
  for (const AllocatorState& state : found)
    for (const FoundArena& arena : state.arenas)
      arenas.push_back({arena.record.base, ArenaBytesOf(state)});
  std::sort(arenas.begin(), arenas.end(),
            [](const Arena& a, const Arena& b) { return a.base < b.base; });
  for (const Mapping& run : anonymous) {
    std::uint64_t from = run.begin;
    for (const Arena& arena : arenas) {
      if (arena.base < from || arena.base >= run.end) continue;
      SearchRun(memory, from, arena.base & ~kPageMask, &searcher);
      from = std::min(run.end, (arena.base + arena.bytes) & ~kPageMask);
    }
    if (from < run.end) SearchRun(memory, from, run.end, &searcher);
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  return found;
}

bool ReadAgain(TargetMemory& memory, AllocatorState* state) {
  constexpr std::uint64_t kWords = 2 * kSpan + 1;
  std::uint64_t words[kWords] = {};
  const std::uint64_t from = state->address - kSpan * kWord;
  // A rim of it may lie outside of what is mapped; what counts does not.
  for (std::uint64_t i = 0; i < kWords; ++i)
    memory.ReadValue(from + i * kWord, &words[i]);
  AllocatorState again;
  if (!Examine(memory, words + kSpan, state->address, state->layout, &again))
    return false;
  *state = std::move(again);
  return true;
}

}  // namespace arenalab
