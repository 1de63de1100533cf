// Streams on real threads, here and under the thread sanitizer: all is
// executed, contents hold, and heaps that break the contract are found out.
#include "tools/threads/thread_run.h"

#include <cstdlib>
#include <mutex>
#include <random>
#include <sstream>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap.h"
#include "tests/tools/threads/thread_fixture.h"

namespace arenalab {
namespace {

// The C library's, which is the sanitizer's where there is one.
class LibcHeap {
 public:
  static constexpr Threads kThreads = Threads::kNative;
  static constexpr Heaps kHeaps = Heaps::kOnePerProcess;
  static constexpr std::string_view kName = "libc";
  explicit LibcHeap(const HeapOptions&) {}
  LibcHeap(const LibcHeap&) = delete;
  void* Allocate(std::size_t n) noexcept { return std::malloc(n + !n); }
  void* AllocateZeroed(std::size_t count, std::size_t n) noexcept {
    return std::calloc(count, n + !n);
  }
  void* AllocateAligned(std::size_t align, std::size_t n) noexcept {
    void* p = nullptr;
    if (align < sizeof(void*)) align = sizeof(void*);
    return posix_memalign(&p, align, n + !n) == 0 ? p : nullptr;
  }
  void* Reallocate(void* p, std::size_t n) noexcept {
    return std::realloc(p, n + !n);
  }
  void Free(void* p) noexcept { std::free(p); }
  std::size_t UsableSize(void*) const noexcept { return 0; }
  HeapSnapshot Snapshot() const noexcept { return {}; }
};
static_assert(Allocator<LibcHeap>);

// Hands out the block of four requests ago again, although it lives.
class OverlappingHeap : public LibcHeap {
 public:
  using LibcHeap::LibcHeap;
  void* Allocate(std::size_t n) noexcept {
    const std::lock_guard lock(mutex_);
    if (++asked_ % 5 == 0) return last_;
    return last_ = std::malloc(n + 4096);
  }
  void Free(void*) noexcept {}  // or the C library would complain first

 private:
  std::mutex mutex_;
  std::uint64_t asked_ = 0;
  void* last_ = nullptr;
};

// A realloc that moves and does not copy.
class ForgetfulHeap : public LibcHeap {
 public:
  using LibcHeap::LibcHeap;
  void* Reallocate(void* p, std::size_t n) noexcept {
    void* moved = std::calloc(1, n);
    std::free(p);
    return moved;
  }
};

// Threads that allocate, keep, hand over and give up, at random.
std::string RandomTrace(int threads, int steps, bool reallocs) {
  std::mt19937 random(11);
  std::vector<int> live;
  int next = 0;
  std::ostringstream text;
  text << "meta addresses none\n";
  for (int i = 0; i < steps; ++i) {
    const unsigned thread = random() % static_cast<unsigned>(threads);
    const unsigned what = random() % 10;
    if (live.empty() || what < 5) {
      const char* kind = what == 0 ? "calloc" : "malloc";
      text << kind << ' ' << next << ' ' << random() % 700;
      live.push_back(next++);
    } else {
      const std::size_t at = random() % live.size();
      if (reallocs && what == 9) {
        text << "realloc " << live[at] << ' ' << 1 + random() % 900;
      } else {
        text << "free " << live[at];
        live[at] = live.back();
        live.pop_back();
      }
    }
    text << " thread=" << thread << '\n';
  }
  return text.str();
}

ThreadRunOptions Check() {
  ThreadRunOptions options;
  options.mode = ThreadMode::kCheck;
  options.touch = Touch::kFill;
  return options;
}

struct Shape {
  std::uint32_t streams;
  std::uint64_t window;
};

class ThreadRunTest : public testing::TestWithParam<Shape> {};

TEST_P(ThreadRunTest, EveryEventIsExecutedAndEveryBlockHoldsItsBytes) {
  const CompiledTrace trace = Compiled(RandomTrace(4, 20000, true));
  const ThreadStreams streams(trace, {.streams = GetParam().streams,
                                      .window = GetParam().window,
                                      .moments = ThreadMoments(trace, 5)});
  ASSERT_EQ(streams.streams().size(), GetParam().streams);
  const ThreadOutcome outcome = RunHere<LibcHeap>(streams, Check());
  EXPECT_EQ(outcome.events(), 20000u);
  for (std::size_t i = 0; i < outcome.streams.size(); ++i) {
    EXPECT_EQ(outcome.streams[i].events, streams.streams()[i].events);
  }
  EXPECT_EQ(outcome.failed(), 0u);
  EXPECT_EQ(outcome.corrupted(), 0u);
  EXPECT_EQ(outcome.overlaps(), 0u);
  EXPECT_EQ(outcome.moments.back().taken, 1u);
  // At a moment the same objects are live, however the threads ran.
  std::int64_t live = 0;
  std::vector<std::uint64_t> sizes(trace.slots);
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    live -= static_cast<std::int64_t>(sizes[step.slot]);
    sizes[step.slot] = step.code == OpCode::kFree ? 0 : step.size_bytes;
    live += static_cast<std::int64_t>(sizes[step.slot]);
  }
  EXPECT_EQ(outcome.moments.back().requested_bytes, live);
}

INSTANTIATE_TEST_SUITE_P(Modes, ThreadRunTest,
                         testing::Values(Shape{1, 0}, Shape{2, 0}, Shape{4, 0},
                                         Shape{2, 64}, Shape{4, 8},
                                         Shape{4, 4096}));

TEST(ThreadRunTest, TimedRunsExecuteTheSame) {
  const ThreadStreams streams(Compiled(RandomTrace(3, 20000, true)),
                              {.streams = 3});
  const ThreadOutcome outcome = RunHere<LibcHeap>(streams, {});
  EXPECT_EQ(outcome.events(), 20000u);
  EXPECT_GT(outcome.wall_ns(), 1u);
}

TEST(ThreadRunTest, ABlockHandedOutTwiceIsFound) {
  const CompiledTrace trace = Compiled(RandomTrace(2, 2000, false));
  // One stream: two would race on that block, as the thread sanitizer says.
  const ThreadStreams streams(
      trace, {.streams = 1, .moments = ThreadMoments(trace, 3)});
  const ThreadOutcome outcome = RunHere<OverlappingHeap>(streams, Check());
  EXPECT_GT(outcome.corrupted(), 0u);
  EXPECT_GT(outcome.overlaps(), 0u);
}

TEST(ThreadRunTest, AReallocThatLosesBytesIsFound) {
  const ThreadStreams streams(Compiled(R"(meta addresses none
malloc 1 24 thread=0
realloc 1 48 thread=1
free 1 thread=0
)"),
                              {.streams = 2});
  EXPECT_EQ(RunHere<ForgetfulHeap>(streams, Check()).corrupted(), 1u);
  EXPECT_EQ(RunHere<LibcHeap>(streams, Check()).corrupted(), 0u);
}

using Pymalloc = Heap<Cpython311>;

TEST(ThreadRunTest, AHeapForOneThreadIsNotSharedWithoutALock) {
  const ThreadStreams streams(Compiled(RandomTrace(2, 4000, true)),
                              {.streams = 2});
  EXPECT_EQ(RunHere<Pymalloc>(streams, Check()).not_applicable,
            "one thread at a time");
  ThreadRunOptions locked = Check();
  locked.lock = ThreadLock::kEachRequest;
  const ThreadOutcome outcome = RunHere<Pymalloc>(streams, locked);
  EXPECT_EQ(outcome.not_applicable, "");
  EXPECT_EQ(outcome.events(), 4000u);
  EXPECT_EQ(outcome.corrupted(), 0u);
}

TEST(ThreadRunTest, EveryModelRunsEveryCopy) {
  const ThreadStreams one(Compiled(RandomTrace(2, 4000, true)), {.streams = 1});
  for (const ThreadLock lock :
       {ThreadLock::kSlices, ThreadLock::kEachRequest, ThreadLock::kNone}) {
    ThreadRunOptions options = Check();
    options.copies = 3;
    options.lock = lock;
    options.heap_each = lock == ThreadLock::kNone;
    const ThreadOutcome outcome = RunHere<Pymalloc>(one, options);
    EXPECT_EQ(outcome.not_applicable, "");
    EXPECT_EQ(outcome.events(), 3u * 4000u);
    EXPECT_EQ(outcome.corrupted(), 0u);
  }
  ThreadRunOptions interpreters = Check();
  interpreters.copies = 1;
  interpreters.heap_each = true;
  interpreters.serves = 2;
  EXPECT_EQ(RunHere<LibcHeap>(one, interpreters).not_applicable,
            "one heap a process");
}

TEST(ThreadOutcomeTest, FiguresByHand) {
  ThreadOutcome outcome;
  // 0 to 100 ns with 10 waited; 50 to 250 ns with 20 waited.
  outcome.streams = {{.events = 5,
                      .failed = 0,
                      .corrupted = 0,
                      .start_ns = 0,
                      .end_ns = 100,
                      .wait_ns = 10,
                      .waits = 1,
                      .unused = 0},
                     {.events = 15,
                      .failed = 1,
                      .corrupted = 2,
                      .start_ns = 50,
                      .end_ns = 250,
                      .wait_ns = 20,
                      .waits = 1,
                      .unused = 0}};
  EXPECT_EQ(outcome.events(), 20u);
  EXPECT_EQ(outcome.wall_ns(), 250u);
  EXPECT_DOUBLE_EQ(outcome.requests_per_second(), 20 / 250e-9);
  EXPECT_DOUBLE_EQ(outcome.waiting_share(), 0.1);
  EXPECT_EQ(outcome.failed(), 1u);
  EXPECT_EQ(outcome.corrupted(), 2u);
}

TEST(LiveBlocksTest, LinesByHand) {
  // | 0: a a b | 64: b . | 128: c...  | 192: c  | 256: d | with b over a border
  LiveBlock blocks[] = {
      {128, 128, 1},  // c: lines 2 and 3
      {0, 32, 0},     // a: line 0
      {48, 32, 1},    // b: lines 0 and 1, line 0 with a
      {256, 8, 0},    // d
      {264, 8, 0},    // another of the same stream: not shared
  };
  const LiveLines lines = CountLines(blocks, 5);
  EXPECT_EQ(lines.lines, 5u);
  EXPECT_EQ(lines.shared_lines, 1u);
  EXPECT_EQ(lines.overlaps, 0u);
}

TEST(LiveBlocksTest, AnOverlapIsCounted) {
  LiveBlock blocks[] = {{0, 100, 0}, {99, 1, 0}, {100, 8, 0}};
  EXPECT_EQ(CountLines(blocks, 3).overlaps, 1u);
}

}  // namespace
}  // namespace arenalab
