// Follows interpreters and threads by the offsets of the table.
#include "tools/inspect/thread_states.h"

#include <cstring>
#include <string_view>

namespace arenalab {
namespace {

constexpr std::string_view kCookie = "xdebugpy";

// Of 3.13, as words: the rest of the table is not used.
struct Offsets {
  char cookie[8];
  std::uint64_t version;
  std::uint64_t free_threaded;
  std::uint64_t runtime_bytes, finalizing, interpreters_head;
  std::uint64_t interpreter_bytes, id, next_interpreter, threads_head;
  std::uint64_t of_interpreter[9];
  std::uint64_t thread_bytes, previous, next, interpreter, frame, thread_id,
      native_id;
};
static_assert(sizeof(Offsets) == 26 * 8);

constexpr std::uint64_t kMostBytes = 1 << 22;
constexpr int kMostInterpreters = 4096, kMostThreads = 65536;

std::optional<std::uint64_t> FindRuntime(TargetMemory& memory) {
  std::optional<std::uint64_t> found;
  std::vector<char> bytes;
  for (const Mapping& mapping : memory.mappings()) {
    if (!mapping.is_file() || !mapping.writable || mapping.shared) continue;
    memory.VisitContent(
        mapping.begin, mapping.end,
        [&](std::uint64_t begin, std::uint64_t end) {
          if (found) return;
          bytes.resize(end - begin);
          bytes.resize(memory.Read(begin, bytes.data(), bytes.size()));
          const std::string_view text(bytes.data(), bytes.size());
          for (std::size_t at = text.find(kCookie); at != text.npos;
               at = text.find(kCookie, at + 1))
            if ((begin + at) % 8 == 0) {
              found = begin + at;
              return;
            }
        });
    if (found) break;
  }
  return found;
}

}  // namespace

std::optional<std::vector<ThreadState>> FindThreadStates(TargetMemory& memory) {
  const auto runtime = FindRuntime(memory);
  Offsets at;
  if (!runtime || !memory.ReadValue(*runtime, &at) ||
      at.version >> 16 != 0x030d)
    return std::nullopt;
  for (const std::uint64_t offset :
       {at.interpreters_head, at.id, at.next_interpreter, at.threads_head,
        at.next, at.interpreter, at.frame, at.native_id})
    if (offset >= kMostBytes) return std::nullopt;
  std::vector<ThreadState> states;
  std::uint64_t interpreter = 0;
  if (!memory.ReadValue(*runtime + at.interpreters_head, &interpreter))
    return std::nullopt;
  for (int i = 0; interpreter != 0 && i < kMostInterpreters; ++i) {
    ThreadState state;
    std::uint64_t thread = 0;
    if (!memory.ReadValue(interpreter + at.id, &state.interpreter) ||
        !memory.ReadValue(interpreter + at.threads_head, &thread))
      return std::nullopt;
    for (int n = 0; thread != 0 && n < kMostThreads; ++n) {
      std::uint64_t owner = 0, frame = 0;
      if (!memory.ReadValue(thread + at.interpreter, &owner) ||
          owner != interpreter ||
          !memory.ReadValue(thread + at.frame, &frame) ||
          !memory.ReadValue(thread + at.native_id, &state.native_id))
        break;  // it ended meanwhile
      state.runs_python = frame != 0;
      states.push_back(state);
      if (!memory.ReadValue(thread + at.next, &thread)) break;
    }
    if (!memory.ReadValue(interpreter + at.next_interpreter, &interpreter))
      break;
  }
  return states;
}

}  // namespace arenalab
