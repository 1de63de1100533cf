// See recorder.h. The rare half: rings, chunks, waiting, thread numbers.
#include "tracer/preload/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tracer/preload/python_hooks.h"
#include "tracer/ring/chunk_stack.h"

namespace arenalab::preload {

// constinit: allocations come before any dynamic initialiser of ours has run,
// which would then wipe what they left.
constinit Hot hot{};
constinit Settings settings{};
__thread ThreadLocal local __attribute__((tls_model("initial-exec")));

namespace {

enum Phase : std::uint32_t { kNone = 0, kMaking = 1, kReady = 2 };

constexpr std::size_t kCheckEveryWords = 256;
// A collector that has shown no sign of life for this long is taken for dead;
// for the shorter time, if the kernel does not know its process either.
constexpr std::uint64_t kDeadAfterNs = 10'000'000'000;
constexpr std::uint64_t kGoneAfterNs = 200'000'000;
// So long the program stands still for the collector to look at what lives.
constexpr std::uint64_t kStandingPatienceNs = 60'000'000'000;
// So long a thread waits for a stream before its events are counted as lost.
constexpr std::uint64_t kSlotPatienceNs = 500'000'000;

class KeepErrno {
 public:
  KeepErrno() : saved_(errno) {}
  ~KeepErrno() { errno = saved_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int saved_;
};

std::uint64_t NowNs() {
  timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// The raw system call: nanosleep() would be a cancellation point.
void Sleep(long ns) {
  const timespec time = {0, ns};
  syscall(SYS_nanosleep, &time, nullptr);
}

void PrepareStream(Stream* stream, std::uint32_t slot, std::uint32_t chunk) {
  ring::Header* header = hot.header;
  std::uint64_t* words = ring::ChunkWords(header, chunk);
  stream->bias = reinterpret_cast<std::uint64_t>(words);
  stream->published = &header->streams[slot].published;
  stream->next_ticket = 0;
  stream->synced = 0;
  stream->state = 0;
  stream->chunk_end = words + ring::kChunkWords;
  stream->cursor = words;
  stream->limit = stream->chunk_end - ring::kReserveWords;
}

// The collector has died: from now on every hook only passes through, once the
// chunk of its stream is full. (Not earlier: another thread may be in the midst
// of an append.)
std::uint32_t SwitchOff() {
  settings.enabled = false;
  return ring::kNoChunk;
}

// True also for one that has ended and waits for its parent to ask.
bool IsGone(int process) {
  char path[32];
  char text[512];
  snprintf(path, sizeof(path), "/proc/%d/stat", process);
  const long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno == ENOENT;
  const long bytes = syscall(SYS_read, file, text, sizeof(text) - 1);
  syscall(SYS_close, file);
  if (bytes <= 0) return bytes == 0 || errno == ESRCH;
  text[bytes] = 0;
  const char* state = strrchr(text, ')');  // the name may hold anything
  return state != nullptr && (state[2] == 'Z' || state[2] == 'X');
}

// A free chunk; waits until the collector has made one. kNoChunk: it died.
std::uint32_t AcquireChunk() {
  ring::Header* header = hot.header;
  if (header->closed.load(std::memory_order_relaxed) != 0) return SwitchOff();
  std::uint32_t chunk = ring::TakeChunk(header);
  if (chunk != ring::kNoChunk) return chunk;
  if (settings.lossy) {
    // What is dropped now is one event: the next one asks again.
    header->lost_events.fetch_add(1);
    return ring::kNoChunk;
  }

  const std::uint64_t begin = NowNs();
  std::uint64_t seen_alive = begin;
  std::uint64_t heartbeat = header->heartbeat.load(std::memory_order_relaxed);
  while (settings.enabled) {
    Sleep(100'000);
    chunk = ring::TakeChunk(header);
    const std::uint64_t now = NowNs();
    if (chunk != ring::kNoChunk) {
      header->waited_ns.fetch_add(now - begin);
      return chunk;
    }
    if (header->closed.load() != 0) break;
    const std::uint64_t beat =
        header->heartbeat.load(std::memory_order_relaxed);
    if (beat != heartbeat) {
      heartbeat = beat;
      seen_alive = now;
      continue;
    }
    const std::uint64_t silent = now - seen_alive;
    const bool gone = silent > kGoneAfterNs && settings.collector != 0 &&
                      IsGone(settings.collector);
    if (gone || silent > kDeadAfterNs) break;
  }
  return SwitchOff();
}

// Goes on in the next chunk where the reserve of this one is reached.
bool EnsureRoom(Stream* stream) {
  if (stream->cursor < stream->chunk_end - ring::kReserveWords) return true;
  const std::uint32_t chunk = AcquireChunk();
  if (chunk == ring::kNoChunk) return false;
  *stream->cursor = ring::Pack(ring::Op::kNext, chunk);
  const std::uint64_t end =
      reinterpret_cast<std::uint64_t>(stream->chunk_end) - stream->bias;
  std::uint64_t* words = ring::ChunkWords(hot.header, chunk);
  stream->bias = reinterpret_cast<std::uint64_t>(words) - end;
  stream->chunk_end = words + ring::kChunkWords;
  stream->limit = stream->chunk_end - ring::kReserveWords;
  Publish(stream, words);
  return true;
}

std::uint32_t ThreadNumber() {
  if (local.thread == 0) local.thread = hot.threads.fetch_add(1) + 1;
  return local.thread;
}

// A free slot of the ring's table, filled; 0 (the state stream's own) where
// more threads are alive than the ring has room for.
std::uint32_t ClaimSlot(std::uint32_t chunk) {
  for (std::uint32_t slot = 1; slot < ring::kStreams; ++slot) {
    ring::StreamSlot& entry = hot.header->streams[slot];
    ring::SlotState expected = ring::SlotState::kFree;
    if (entry.state.load(std::memory_order_relaxed) != expected ||
        !entry.state.compare_exchange_strong(expected,
                                             ring::SlotState::kClaimed)) {
      continue;
    }
    entry.published.store(0, std::memory_order_relaxed);
    entry.first_chunk = chunk;
    entry.thread = ThreadNumber();
    entry.kernel_id = static_cast<std::int32_t>(syscall(SYS_gettid));
    std::uint32_t limit = hot.header->slot_limit.load();
    while (limit <= slot &&
           !hot.header->slot_limit.compare_exchange_weak(limit, slot + 1)) {
    }
    entry.state.store(ring::SlotState::kInUse, std::memory_order_release);
    return slot;
  }
  return 0;
}

// The same; waits for the collector to find out which threads have ended.
std::uint32_t AcquireSlot(std::uint32_t chunk) {
  std::uint32_t slot = ClaimSlot(chunk);
  if (slot != 0) return slot;
  const std::uint64_t begin = NowNs();
  while (slot == 0 && NowNs() - begin < kSlotPatienceNs) {
    Sleep(1'000'000);
    slot = ClaimSlot(chunk);
  }
  hot.header->waited_ns.fetch_add(NowNs() - begin);
  return slot;
}

void ReadCommand(ring::Header* header) {
  const long file =
      syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const long bytes =
      syscall(SYS_read, file, header->command, sizeof(header->command));
  header->command_bytes = bytes < 0 ? 0 : static_cast<std::uint32_t>(bytes);
  syscall(SYS_close, file);
}

// Says in the header who this process is, whose child, and on what.
void FillHeader(ring::Header* header, const ring::Header* parent) {
  header->magic = ring::kMagic;
  header->started_ns = NowNs();
  timespec now;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  header->started_unix = now.tv_sec;
  header->process = static_cast<std::int32_t>(syscall(SYS_getpid));
  header->layers = settings.layers ? 1 : 0;
  header->lossy = settings.lossy ? 1 : 0;
  header->stacks = settings.stacks ? 1 : 0;
  header->parent_process = static_cast<std::int32_t>(syscall(SYS_getppid));
  if (settings.window) header->hold.store(ring::Hold::kAtMarks);
  header->types.store(settings.types);
  header->sites.store(settings.sites);
  ReadCommand(header);
  header->free_chunks.store(ring::kNoChunk);
  header->slot_limit.store(1);
  header->chunk_limit.store(ring::kFirstChunks);
  header->fresh_chunks.store(1);  // chunk 0 is the state stream's first
  strncpy(header->python, settings.python, sizeof(header->python) - 1);
  memcpy(header->allocator, settings.allocator, sizeof(header->allocator));
  header->text_ready.store(1);
  if (parent != nullptr) {
    memcpy(header->parent, settings.ring_name, sizeof(header->parent));
    header->parent_fork = local.fork;
    const std::uint32_t bytes = parent->statistics_bytes.load();
    memcpy(header->statistics, parent->statistics, bytes);
    header->statistics_bytes.store(bytes);
  }
  ring::StreamSlot& state = header->streams[ring::kStateStream];
  state.first_chunk = 0;
  state.state.store(ring::SlotState::kInUse);
}

// A file that grows over its process's limit gets the process killed. So a soft
// limit is lifted for the moment that it takes, and a hard one is respected.
bool Grow(long file) {
  rlimit64 limit;
  if (syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, nullptr, &limit) != 0) {
    return false;
  }
  if (limit.rlim_max < ring::kRingBytes) return false;
  const bool lift = limit.rlim_cur < ring::kRingBytes;
  const rlimit64 lifted = {limit.rlim_max, limit.rlim_max};
  if (lift) syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, &lifted, nullptr);
  const bool grown = syscall(SYS_ftruncate, file, ring::kRingBytes) == 0;
  if (lift) syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, &limit, nullptr);
  return grown;
}

// Maps a new ring file and gives it its final name once its header is whole.
ring::Header* MakeRing(const ring::Header* parent) {
  char temporary[sizeof(settings.directory) + 80];
  char name[sizeof(settings.ring_name)];
  snprintf(name, sizeof(name), "%ld-%llx%s", syscall(SYS_getpid),
           static_cast<unsigned long long>(NowNs()), ring::kRingSuffix);
  snprintf(temporary, sizeof(temporary), "%s/.%s", settings.directory, name);
  const long file = syscall(SYS_openat, AT_FDCWD, temporary,
                            O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (Grow(file)) {
    memory = mmap(nullptr, ring::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                  static_cast<int>(file), 0);
  }
  syscall(SYS_close, file);
  if (memory == MAP_FAILED) {
    // Left behind, empty: the collector says so.
    return nullptr;
  }
  auto* header = static_cast<ring::Header*>(memory);
  FillHeader(header, parent);
  char final_name[sizeof(temporary)];
  snprintf(final_name, sizeof(final_name), "%s/%s", settings.directory, name);
  if (syscall(SYS_renameat, AT_FDCWD, temporary, AT_FDCWD, final_name) != 0) {
    munmap(memory, ring::kRingBytes);
    return nullptr;
  }
  memcpy(settings.ring_name, name, sizeof(name));
  return header;
}

// Where `word` is `from`, stands still with `to` in it until the collector has
// put in something else.
template <class T>
void StandStill(std::atomic<T>* word, T from, T to) {
  KeepErrno keep_errno;
  ring::Header* header = hot.header;
  if (!word->compare_exchange_strong(from, to)) return;
  const std::uint64_t begin = NowNs();
  std::uint64_t heartbeat = header->heartbeat.load();
  std::uint64_t seen_alive = begin;
  while (settings.enabled && header->closed.load() == 0 &&
         NowNs() - begin < kStandingPatienceNs && word->load() == to) {
    Sleep(200'000);
    if (header->heartbeat.load() != heartbeat) {
      heartbeat = header->heartbeat.load();
      seen_alive = NowNs();
    } else if (NowNs() - seen_alive > kGoneAfterNs &&
               (settings.collector == 0 || IsGone(settings.collector))) {
      break;
    }
  }
  header->waited_ns.fetch_add(NowNs() - begin);
}

// `first` is about to be recorded. See ring::Hold.
void StandForWindow(std::uint64_t first) {
  ring::Header* header = hot.header;
  if (header->hold.load(std::memory_order_relaxed) != ring::Hold::kWanted) {
    return;
  }
  constexpr auto kFree = static_cast<unsigned>(EventKind::kFree);
  const ring::Op op = ring::OpOf(first);
  const bool gives_up =
      op == ring::RequestOp(static_cast<unsigned>(Layer::kMem), kFree) ||
      op == ring::RequestOp(static_cast<unsigned>(Layer::kObject), kFree);
  if (gives_up && local.depth == 0) {
    StandStill(&header->hold, ring::Hold::kWanted, ring::Hold::kStanding);
  } else if (hot.state.cursor < hot.state.limit) {
    hot.state.limit = hot.state.cursor + 1;  // the next event asks again
  }
}

struct EarlyEvent {
  std::uint64_t first;
  Rest rest;
};
constexpr int kMaxEarly = 512;
constinit EarlyEvent early[kMaxEarly]{};
int early_count = 0;

// The mapping of this process's ring; after a fork, until there is a new one,
// still that of the parent's.
ring::Header* mapped = nullptr;

}  // namespace

bool EnsureRing() {
  if (kCountOnly || !settings.enabled) return false;
  std::uint32_t phase = kNone;
  if (!hot.phase.compare_exchange_strong(phase, kMaking)) {
    // Another thread of this process is at it.
    while (hot.phase.load() == kMaking && settings.enabled) Sleep(10'000);
    return hot.phase.load() == kReady && settings.enabled;
  }
  KeepErrno keep_errno;
  ring::Header* const parent = mapped;
  ring::Header* const header =
      parent != nullptr && settings.alone ? nullptr : MakeRing(parent);
  if (parent != nullptr) munmap(parent, ring::kRingBytes);
  mapped = header;
  local.fork = ring::kUnknownFork;
  if (header == nullptr) {
    settings.enabled = false;
    hot.phase.store(kNone);
    return false;
  }
  // Linux before 4.14 does not know this; then only fork() itself is noticed.
  madvise(&hot, sizeof(hot), MADV_WIPEONFORK);
  hot.header = header;
  PrepareStream(&hot.state, ring::kStateStream, 0);
  hot.state.state = settings.many_states ? 1 : 0;
  hot.phase.store(kReady);
  return true;
}

bool PrepareState(std::uint64_t first) {
  if (!settings.enabled) return false;
  KeepErrno keep_errno;
  if (hot.phase.load(std::memory_order_acquire) != kReady && !EnsureRing()) {
    return false;
  }
  Stream& stream = hot.state;
  if (!EnsureRoom(&stream)) return false;
  if (stream.thread != ThreadNumber()) {
    stream.thread = local.thread;
    *stream.cursor = ring::Pack(ring::Op::kThread, local.thread);
    Publish(&stream, stream.cursor + 1);
    if (!EnsureRoom(&stream)) return false;
  }
  // CheckFinalising() may append by itself, with this limit in place.
  std::uint64_t* const room = stream.chunk_end - ring::kReserveWords;
  stream.limit = stream.cursor + kCheckEveryWords < room
                     ? stream.cursor + kCheckEveryWords
                     : room;
  CheckFinalising();
  StandForWindow(first);
  return EnsureRoom(&stream);
}

Stream* PrepareThread() {
  if (!settings.enabled) return nullptr;
  KeepErrno keep_errno;
  if (hot.phase.load(std::memory_order_acquire) != kReady && !EnsureRing()) {
    return nullptr;
  }
  Stream* stream = local.stream;
  if (stream == nullptr || stream->cursor == nullptr) {
    if (local.refused) {
      hot.header->lost_events.fetch_add(1);
      return nullptr;
    }
    const std::uint32_t chunk = AcquireChunk();
    if (chunk == ring::kNoChunk) return nullptr;
    const std::uint32_t slot = AcquireSlot(chunk);
    if (slot == 0) {
      ring::GiveChunk(hot.header, chunk);
      hot.header->lost_events.fetch_add(1);
      local.refused = true;
      return nullptr;
    }
    stream = &hot.streams[slot];
    PrepareStream(stream, slot, chunk);
    local.stream = stream;
  }
  return EnsureRoom(stream) ? stream : nullptr;
}

void BeginManyStates() {
  settings.many_states = true;
  __atomic_store_n(&hot.state.state, 1, __ATOMIC_RELEASE);
}

bool AppendToOtherState(std::uint64_t first, const Rest& rest) {
  const std::uint32_t state = CurrentState();
  if (state == 0) return false;
  AppendThread(first, rest, state);
  return true;
}

void AppendText(ring::Op op, std::uint64_t payload, const char* text,
                std::size_t bytes) {
  Stream& stream = hot.state;
  if (stream.cursor >= stream.limit || stream.thread != local.thread) {
    if (!PrepareState()) return;
  }
  if (bytes > ring::kMostTextBytes) bytes = ring::kMostTextBytes;
  *stream.cursor = ring::Pack(op, payload, bytes);
  memcpy(stream.cursor + 1, text, bytes);
  Publish(&stream, stream.cursor + 1 + (bytes + 7) / 8);
}

bool AppendMark(const char* name) {
  if (!settings.enabled || local.depth != 0 || name == nullptr ||
      (hot.state.state != 0 && CurrentState() != 0)) {
    return false;
  }
  AppendText(ring::Op::kMark, 0, name, strlen(name));
  if (hot.header != nullptr) {
    // The collector may have seen the mark already, and want us to stand.
    for (const auto now : {ring::Hold::kAtMarks, ring::Hold::kWanted}) {
      StandStill(&hot.header->hold, now, ring::Hold::kStanding);
    }
  }
  return settings.enabled;
}

void KeepEarly(std::uint64_t first, const Rest& rest) {
  if (early_count < kMaxEarly) early[early_count++] = {first, rest};
}

void RecordEarly() {
  for (int i = 0; i < early_count; ++i) {
    AppendThread(early[i].first, early[i].rest);
  }
}

void CheckFinalising() {
  if (!settings.dumps) TellFinalising();
}

bool TellFinalising() {
  static bool told = false;  // under the interpreter's lock
  if (told || !InterpreterIsFinalising()) return false;
  told = true;
  AppendState(ring::Pack(ring::Op::kFinalise, 0));
  if (settings.types == ring::Reading::kWorks && hot.header != nullptr) {
    StandStill(&hot.header->census, ring::Census::kOffered,
               ring::Census::kWanted);
  }
  return true;
}

void BeforeFork() {
  local.fork = settings.forks.fetch_add(1);
  if (kCountOnly) return;
  if (settings.enabled) AppendThread(ring::Pack(ring::Op::kFork, local.fork));
}

void AfterForkInChild() {
  const std::uint64_t fork = local.fork;
  // Already so where the kernel wipes; older ones do not know the advice.
  hot.phase.store(kNone);
  hot.header = nullptr;
  hot.threads.store(0);
  memset(static_cast<void*>(&hot.state), 0, sizeof(hot.state));
  local = {};
  local.fork = fork;
  settings.threaded = false;
  settings.dumps = false;  // its ordinals are the parent's
  settings.forks.store(0);
}

}  // namespace arenalab::preload
