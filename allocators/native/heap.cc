// What is not one call into the interpreter; contract in heap.h.
#include "allocators/native/heap.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "allocators/native/placement_log.h"
#include "allocators/native/state.h"

namespace arenalab {
namespace {

// Which allocator the interpreter was told to take; the launcher always tells.
const char* ChosenAllocator() {
  const char* chosen = std::getenv("PYTHONMALLOC");
  return chosen == nullptr ? "pymalloc" : chosen;
}

bool IsChosen(const char* allocator) {
  return std::strcmp(ChosenAllocator(), allocator) == 0;
}

// Words on their way to the file.
constexpr std::size_t kLogWords = 8192;
std::uint64_t log_words[kLogWords];
std::size_t log_count = 0;
int log_fd = -1;
bool log_failed = false;

void WriteLog() {
  const char* next = reinterpret_cast<const char*>(log_words);
  std::size_t left = log_count * sizeof(log_words[0]);
  log_count = 0;
  while (left > 0) {
    const ssize_t written = write(log_fd, next, left);
    if (written <= 0) {
      log_failed = true;
      return;
    }
    next += written;
    left -= static_cast<std::size_t>(written);
  }
}

void AppendToLog(PlacementKind kind, std::uint64_t arena,
                 std::uint64_t offset) {
  log_words[log_count++] = PlacementWord(kind, arena, offset);
  if (log_count == kLogWords) WriteLog();
}

}  // namespace

const char* NativeHeap::Version() { return Python().version(); }

const char* NativeHeap::CheckSettings(std::string_view) {
  if (const char* refusal = RefusalOfPython()) return refusal;
  if (!native_arenas.Begin(std::getenv(kArenaOffsetsVariable))) {
    return "the offsets of arenas are not digits";
  }
  if (NeedsInterpreter() && IsChosen("pymalloc")) {
    return ForgetStart(native_arenas, Code());
  }
  return nullptr;
}

void* NativeHeap::AllocateAligned(std::size_t align,
                                  std::size_t bytes) noexcept {
  void* p = nullptr;
  if (IsChosen("mimalloc")) return nullptr;
  if (align < sizeof(void*)) align = sizeof(void*);
  return posix_memalign(&p, align, bytes == 0 ? 1 : bytes) == 0 ? p : nullptr;
}

std::size_t NativeHeap::UsableSize(void* p) const noexcept {
  NativeArenas::Position position;
  if (!native_arenas.Find(p, &position)) {
    return IsChosen("mimalloc") ? 0 : malloc_usable_size(p);
  }
  // The last word of a pool's header, "maxnextoffset", is the pool's size minus
  // the block's; pools have 16 KiB where arenas have 1 MiB or more.
  const std::uint64_t pool_bytes =
      native_arenas.arena_bytes() > kLeastArenaBytes ? 16384 : 4096;
  std::uint32_t max_next_offset;
  std::memcpy(&max_next_offset,
              reinterpret_cast<const char*>(
                  (reinterpret_cast<std::uint64_t>(p) & -pool_bytes) + 44),
              sizeof(max_next_offset));
  return pool_bytes - max_next_offset;
}

bool NativeHeap::TellsUsableSize() const noexcept {
  return !IsChosen("mimalloc");
}

HeapSnapshot NativeHeap::Snapshot() const noexcept {
  if (IsChosen("mimalloc")) return {};
  if (IsChosen("malloc")) {
    const struct mallinfo2 info = mallinfo2();
    return {.held_bytes = static_cast<std::int64_t>(info.arena + info.hblkhd),
            .live_block_bytes =
                static_cast<std::int64_t>(info.uordblks + info.hblkhd)};
  }
  return {
      .held_bytes = static_cast<std::int64_t>(native_arenas.live() *
                                              native_arenas.arena_bytes()),
      .arenas_live = static_cast<std::int64_t>(native_arenas.live()),
      .arenas_created = static_cast<std::int64_t>(native_arenas.created()),
      .arenas_released = static_cast<std::int64_t>(native_arenas.released())};
}

bool NativeLogIsWanted() {
  return std::getenv(kPlacementLogVariable) != nullptr;
}

LoggedNativeHeap::LoggedNativeHeap(const HeapOptions& options)
    : heap_(options) {
  const char* path = std::getenv(kPlacementLogVariable);
  log_fd = path == nullptr
               ? -1
               : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  log_failed = log_fd < 0;
  native_arenas.events = {.acquired =
                              [](std::uint64_t arena) {
                                AppendToLog(PlacementKind::kAcquired, arena, 0);
                              },
                          .released =
                              [](std::uint64_t arena) {
                                AppendToLog(PlacementKind::kReleased, arena, 0);
                              }};
}

void* LoggedNativeHeap::Log(void* block) noexcept {
  NativeArenas::Position position;
  if (native_arenas.Find(block, &position)) {
    AppendToLog(PlacementKind::kBlock, position.arena, position.offset);
  } else {
    AppendToLog(PlacementKind::kRaw, 0, 0);
  }
  return block;
}

bool LoggedNativeHeap::CloseLog() {
  if (!NativeLogIsWanted()) return true;
  if (log_count > 0) WriteLog();
  return !log_failed;
}

}  // namespace arenalab
