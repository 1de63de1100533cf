// Finds the list's head, and follows interpreters and threads from there.
#include "tools/inspect/thread_states.h"

#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace arenalab {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};
constexpr int kMostInterpreters = 4096, kMostThreads = 65536;

// In bytes from the interpreter's or the thread's first.
struct Offsets {
  std::uint64_t interpreter_next;
  std::uint64_t interpreter_id;  // kNone: it has none
  std::uint64_t threads_head;
  std::uint64_t previous;
  std::uint64_t next;
  std::uint64_t interpreter;
  std::uint64_t frame;
  std::uint64_t frame_of_c_frame;  // kNone: `frame` is a frame's address itself
  std::uint64_t native_id;         // kNone: only
  std::uint64_t thread_id;         // is there
};

std::optional<Offsets> OffsetsOf(const std::string& python) {
  int major = 0, minor = 0;
  if (std::sscanf(python.c_str(), "%d.%d", &major, &minor) != 2 || major != 3)
    return std::nullopt;
  switch (minor) {
    case 6:
      return Offsets{0, kNone, 8, 0, 8, 16, 24, kNone, kNone, 152};
    case 7:
    case 8:
      return Offsets{0, 16, 8, 0, 8, 16, 24, kNone, kNone, 176};
    case 9:
    case 10:
      return Offsets{0, 24, 8, 0, 8, 16, 24, kNone, kNone, 176};
    case 11:
      return Offsets{0, 48, 16, 0, 8, 16, 56, 8, 160, 152};
    case 12:
      return Offsets{0, 8, 72, 0, 8, 16, 56, 0, 144, 136};
    default:
      return std::nullopt;
  }
}

// Words of the target. Pages that were read once are not asked for again.
class Words {
 public:
  explicit Words(TargetMemory& memory) : memory_(memory) {}

  bool Read(std::uint64_t address, std::uint64_t* word) {
    if (address % 8 != 0 || address < kPageBytes) return false;
    const auto [at, is_new] = pages_.try_emplace(address / kPageBytes);
    std::vector<std::uint64_t>& page = at->second;
    if (is_new) {
      const std::uint64_t begin = address & ~(kPageBytes - 1);
      page.resize(kPageBytes / 8);
      if (!IsData(begin) ||
          memory_.Read(begin, page.data(), kPageBytes) != kPageBytes)
        page.clear();
    }
    if (page.empty()) return false;
    *word = page[address % kPageBytes / 8];
    return true;
  }

  bool IsData(std::uint64_t address) const {
    const Mapping* mapping = memory_.Find(address);
    return mapping != nullptr && mapping->readable && mapping->writable &&
           !mapping->shared;
  }

 private:
  TargetMemory& memory_;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> pages_;
};

// Calls visit(address, words, count) for the pieces of the modules' static
// data, until it returns true.
template <class Visitor>
void VisitStaticData(TargetMemory& memory, Visitor&& visit) {
  // What lies behind a module's data in one mapping with it may be anything.
  constexpr std::uint64_t kMostBehind = 16 << 20;
  std::vector<std::uint64_t> words;
  std::uint64_t module_end = 0, behind = 0;
  bool done = false;
  for (const Mapping& mapping : memory.mappings()) {
    if (mapping.is_file()) {
      behind = 0;
    } else if (!mapping.path.empty() || mapping.begin != module_end ||
               behind >= kMostBehind) {
      continue;
    }
    module_end = mapping.end;
    if (!mapping.readable || !mapping.writable || mapping.shared) continue;
    std::uint64_t end = mapping.end;
    if (!mapping.is_file()) {
      end = std::min(end, mapping.begin + (kMostBehind - behind));
      behind += mapping.bytes();
    }
    memory.VisitContent(
        mapping.begin, end, [&](std::uint64_t begin, std::uint64_t until) {
          if (done) return;
          words.resize((until - begin) / 8);
          words.resize(memory.Read(begin, words.data(), words.size() * 8) / 8);
          done = visit(begin, words.data(), words.size());
        });
    if (done) return;
  }
}

class ThreadList {
 public:
  ThreadList(Words& words, const Offsets& at) : words_(words), at_(at) {}

  // From `head` to the main interpreter; empty if one of them is none. The
  // first thread of each leads back to it, and ids fall. One that just waits
  // to be used has no thread.
  std::vector<std::uint64_t> InterpretersFrom(std::uint64_t head) {
    std::vector<std::uint64_t> interpreters;
    bool vouched = false;
    std::uint64_t id = std::uint64_t{1} << 31;
    while (head != 0) {
      std::uint64_t thread = 0, next = 0, own = 0;
      if (interpreters.size() == kMostInterpreters || !words_.IsData(head) ||
          !words_.Read(head + at_.threads_head, &thread) ||
          !words_.Read(head + at_.interpreter_next, &next))
        return {};
      if (thread != 0) {
        if (!LeadsBack(thread, head)) return {};
        vouched = true;
      }
      if (at_.interpreter_id != kNone) {
        if (!words_.Read(head + at_.interpreter_id, &own) || own >= id)
          return {};
        id = own;
      }
      interpreters.push_back(head);
      head = next;
    }
    if (!vouched) interpreters.clear();
    return interpreters;
  }

  // Newest first, as the interpreter has them.
  std::vector<ThreadState> ThreadsOf(std::uint64_t interpreter,
                                     std::int64_t id) {
    std::vector<ThreadState> states;
    std::uint64_t before = 0, thread = 0;
    words_.Read(interpreter + at_.threads_head, &thread);
    while (thread != 0 && states.size() < kMostThreads) {
      std::uint64_t owner = 0, previous = 0;
      // It may have ended meanwhile.
      if (!words_.Read(thread + at_.interpreter, &owner) ||
          owner != interpreter ||
          !words_.Read(thread + at_.previous, &previous) || previous != before)
        break;
      ThreadState state;
      state.interpreter = id;
      state.native_id = NativeId(thread);
      state.runs_python = HasFrame(thread);
      states.push_back(state);
      before = thread;
      if (!words_.Read(thread + at_.next, &thread)) break;
    }
    return states;
  }

  std::vector<ThreadState> All(const std::vector<std::uint64_t>& interpreters) {
    std::vector<ThreadState> states;
    auto id = static_cast<std::int64_t>(interpreters.size());
    for (const std::uint64_t interpreter : interpreters) {
      --id;  // where there are no ids: in the order in which they were made
      std::uint64_t own = static_cast<std::uint64_t>(id);
      if (at_.interpreter_id != kNone)
        words_.Read(interpreter + at_.interpreter_id, &own);
      const auto threads =
          ThreadsOf(interpreter, static_cast<std::int64_t>(own));
      states.insert(states.end(), threads.begin(), threads.end());
    }
    return states;
  }

 private:
  bool LeadsBack(std::uint64_t thread, std::uint64_t interpreter) {
    std::uint64_t owner = 0, previous = 1;
    return thread != interpreter && words_.IsData(thread) &&
           words_.Read(thread + at_.interpreter, &owner) &&
           owner == interpreter &&
           words_.Read(thread + at_.previous, &previous) && previous == 0;
  }

  bool HasFrame(std::uint64_t thread) {
    std::uint64_t frame = 0;
    if (!words_.Read(thread + at_.frame, &frame)) return false;
    if (at_.frame_of_c_frame == kNone || frame == 0) return frame != 0;
    // The first of them is a part of the thread's state itself.
    return words_.Read(frame + at_.frame_of_c_frame, &frame) && frame != 0;
  }

  std::uint64_t NativeId(std::uint64_t thread) {
    std::uint64_t id = 0;
    if (at_.native_id != kNone)
      return words_.Read(thread + at_.native_id, &id) ? id : 0;
    // pthread_self() is the address of glibc's record of the thread, whose
    // third word is that address again, and which has the id at byte 720.
    std::uint64_t record = 0, self = 0;
    if (!words_.Read(thread + at_.thread_id, &record) ||
        !words_.Read(record + 16, &self) || self != record ||
        !words_.Read(record + 720, &id))
      return 0;
    return id & 0xffffffff;
  }

  Words& words_;
  const Offsets at_;
};

// 3.6 to 3.12: of the words of static data that lead to an interpreter, the one
// that leads to most is the list's head.
std::optional<std::vector<ThreadState>> FindByLinks(TargetMemory& memory,
                                                    const Offsets& at) {
  Words words(memory);
  ThreadList list(words, at);
  std::unordered_set<std::uint64_t> tried;
  std::vector<std::uint64_t> longest;
  VisitStaticData(
      memory, [&](std::uint64_t, const std::uint64_t* data, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
          if (data[i] % 8 != 0 || data[i] < 65536 || data[i] >= 1ull << 47 ||
              !tried.insert(data[i]).second)
            continue;
          auto found = list.InterpretersFrom(data[i]);
          if (found.size() > longest.size()) longest = std::move(found);
        }
        return false;
      });
  if (longest.empty()) return std::nullopt;
  return list.All(longest);
}

// The table's words. The part about threads begins at word 19 in 3.13 and
// further on in later releases, which say more about interpreters before it.
constexpr char kCookie[] = "xdebugpy";
constexpr std::size_t kInterpretersHead = 5, kId = 7, kNextInterpreter = 8,
                      kThreadsHead = 9, kFirstThreads = 19, kLastThreads = 27;
constexpr std::size_t kTableWords = kLastThreads + 7;

std::optional<std::vector<ThreadState>> FindByTable(
    TargetMemory& memory, std::uint64_t runtime, const std::uint64_t* table) {
  constexpr std::uint64_t kMostBytes = 1 << 22, kLeastRelease = 0x030d;
  if (table[1] >> 16 < kLeastRelease || table[1] >> 32 != 0)
    return std::nullopt;
  Words words(memory);
  std::uint64_t head = 0;
  if (table[kInterpretersHead] >= kMostBytes ||
      !words.Read(runtime + table[kInterpretersHead], &head))
    return std::nullopt;
  for (std::size_t i = kFirstThreads; i <= kLastThreads; ++i) {
    // size, previous, next, interpreter, frame, thread_id, native_id
    const std::uint64_t* const part = table + i;
    const Offsets at{table[kNextInterpreter],
                     table[kId],
                     table[kThreadsHead],
                     part[1],
                     part[2],
                     part[3],
                     part[4],
                     kNone,
                     part[6],
                     part[5]};
    bool sane = true;
    for (const std::uint64_t offset :
         {at.interpreter_next, at.interpreter_id, at.threads_head})
      sane = sane && offset < kMostBytes && offset % 8 == 0;
    for (int k = 1; k < 7; ++k)
      sane = sane && part[k] + 8 <= part[0] && part[k] % 8 == 0;
    if (!sane) continue;
    ThreadList list(words, at);
    const auto found = list.InterpretersFrom(head);
    if (!found.empty()) return list.All(found);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<ThreadState>> FindThreadStates(
    TargetMemory& memory, const std::string& python) {
  if (const auto at = OffsetsOf(python)) return FindByLinks(memory, *at);
  std::optional<std::vector<ThreadState>> states;
  std::uint64_t cookie;
  std::memcpy(&cookie, kCookie, sizeof(cookie));
  VisitStaticData(memory, [&](std::uint64_t begin, const std::uint64_t* data,
                              std::size_t count) {
    for (std::size_t i = 0; i < count && !states; ++i) {
      std::uint64_t table[kTableWords];
      if (data[i] == cookie &&
          memory.Read(begin + i * 8, table, sizeof(table)) == sizeof(table))
        states = FindByTable(memory, begin + i * 8, table);
    }
    return states.has_value();
  });
  return states;
}

}  // namespace arenalab
