// The search through the writable data, and the reset; contract in state.h.
#include "allocators/native/state.h"

#include <link.h>

#include <cstdint>
#include <cstring>

namespace arenalab {
namespace {

using Word = std::uint64_t;

constexpr std::size_t kClasses = 32;
constexpr std::size_t kHeadWords = 2 * kClasses;
constexpr std::size_t kPoolBytes = std::size_t{16} << 10;
// Of a pool's header, whose words a list's head overlays.
constexpr std::size_t kNextBytes = 16;
constexpr std::size_t kPrevBytes = 24;

Word WordAt(Word address) {
  Word word;
  std::memcpy(&word, reinterpret_cast<const void*>(address), sizeof(word));
  return word;
}

bool IsPoolOf(const NativeArenas& arenas, Word address) {
  if (address % kPoolBytes != 0) return false;
  for (std::size_t i = 0; i < arenas.start_live(); ++i) {
    const NativeArenas::Mapping& arena = arenas.start_arenas()[i];
    if (address - arena.base < arena.bytes) return true;
  }
  return false;
}

// Where CPython pretends that the header of class c's list begins.
Word HeadOf(const Word* used, std::size_t c) {
  return reinterpret_cast<Word>(used + 2 * c) - kNextBytes;
}

bool AreListHeads(const NativeArenas& arenas, const Word* used) {
  for (std::size_t c = 0; c < kClasses; ++c) {
    const Word head = HeadOf(used, c);
    const Word first = used[2 * c];
    const Word last = used[2 * c + 1];
    if (first == head && last == head) continue;
    if (!IsPoolOf(arenas, first) || !IsPoolOf(arenas, last)) return false;
    if (WordAt(first + kPrevBytes) != head) return false;
    if (WordAt(last + kNextBytes) != head) return false;
  }
  return true;
}

struct Search {
  const NativeArenas& arenas;
  Word code;
  Word* found = nullptr;
  int matches = 0;
};

int SearchObject(dl_phdr_info* object, std::size_t, void* context) {
  auto* search = static_cast<Search*>(context);
  bool has_code = false;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    has_code =
        has_code || (segment.p_type == PT_LOAD &&
                     search->code - (object->dlpi_addr + segment.p_vaddr) <
                         segment.p_memsz);
  }
  if (!has_code) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
    const Word begin = object->dlpi_addr + segment.p_vaddr;
    const Word end = begin + segment.p_memsz;
    auto* word = reinterpret_cast<Word*>((begin + 7) & ~Word{7});
    for (; reinterpret_cast<Word>(word + kHeadWords) <= end; ++word) {
      if (!AreListHeads(search->arenas, word)) continue;
      search->found = word;
      ++search->matches;
    }
  }
  return 1;
}

}  // namespace

const char* ForgetStart(const NativeArenas& arenas, const void* code) {
  if (arenas.start_live() == 0) {
    return "its start took no arena: it was built without pymalloc";
  }
  if (arenas.start_live() > NativeArenas::kMostStartMappings) {
    return "its start took too many arenas";
  }
  Search search{arenas, reinterpret_cast<Word>(code)};
  dl_iterate_phdr(SearchObject, &search);
  if (search.matches != 1) {
    return "its allocator's state is not where 3.12 to 3.14 keep it, and "
           "without it only a heap in use could be shown";
  }
  const Word pools = arenas.start_arenas()[0].bytes / kPoolBytes;
  Word* const arena_words = search.found + kHeadWords;
  Word* const counters = arena_words + 4 + pools + 1;
  if (counters[0] != arenas.start_live() ||
      counters[1] != arenas.start_created()) {
    return "its allocator's state is not laid out as in 3.12 to 3.14";
  }
  std::memset(
      arena_words, 0,
      static_cast<std::size_t>(counters + 4 - arena_words) * sizeof(Word));
  for (std::size_t c = 0; c < kClasses; ++c) {
    search.found[2 * c] = search.found[2 * c + 1] = HeadOf(search.found, c);
  }
  return nullptr;
}

}  // namespace arenalab
