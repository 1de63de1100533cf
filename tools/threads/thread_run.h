// A whole run in the worker: heaps, threads, moments, memory. Templated over
// the heap, so that the loop calls it directly (allocators/allocator.h).
//
// With one thread the main thread runs the stream and no other was ever made:
// C libraries take a faster way in a process that has only one.
//
// Linked into workers: no C++ runtime, no malloc of its own but what
// pthread_create asks for. One run a process (a test may make more).
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "allocators/allocator.h"
#include "allocators/heap_options.h"
#include "tools/threads/live_blocks.h"
#include "tools/threads/resident_peak.h"
#include "tools/threads/slice_lock.h"
#include "tools/threads/thread_loop.h"
#include "tools/threads/thread_protocol.h"
#include "tools/threads/thread_waiting.h"

namespace arenalab {

// The two mappings, as the worker sees them.
struct ThreadFiles {
  const ThreadProgram* program = nullptr;
  const ThreadStream* streams = nullptr;
  const ThreadOp* ops = nullptr;
  ThreadReport* report = nullptr;
  StreamReport* stream_reports = nullptr;
  MomentSample* moments = nullptr;

  std::uint32_t threads() const {
    return report->in.copies != 0 ? report->in.copies : program->streams;
  }
};

// A zeroed array, resident before the start; nullptr where there is no room.
template <typename T>
T* MapResident(std::uint64_t count) {
  void* base = mmap(nullptr, (count + 1) * sizeof(T), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return base == MAP_FAILED ? nullptr : static_cast<T*>(base);
}

inline void CopyWords(char* to, std::size_t bytes, const char* from) {
  std::size_t i = 0;
  for (; i + 1 < bytes && from[i] != '\0'; ++i) to[i] = from[i];
  to[i] = '\0';
}

template <typename Heap>
class ThreadRun {
 public:
  explicit ThreadRun(const ThreadFiles& files) : files_(files) {}

  // False where it failed; then the report says why.
  bool Run() {
    const ThreadIn& in = files_.report->in;
    const char* cannot = Cannot();
    if (cannot != nullptr) {
      CopyWords(files_.report->not_applicable,
                sizeof(files_.report->not_applicable), cannot);
      return true;
    }
    if (!Prepare()) {
      CopyWords(files_.report->error, sizeof(files_.report->error),
                "no memory for the threads' registers");
      return false;
    }
    const std::uint32_t threads = files_.threads();
    if (threads > 1) pthread_barrier_init(&barrier_, nullptr, threads);
    for (std::uint32_t i = 1; i < threads; ++i) {
      if (pthread_create(&threads_[i], nullptr, Start, &contexts_[i]) != 0) {
        CopyWords(files_.report->error, sizeof(files_.report->error),
                  "the system gives no more threads");
        return false;
      }
    }
    if (in.rendezvous != 0) {
      files_.report->ready.store(1, std::memory_order_release);
      while (files_.report->go.load(std::memory_order_acquire) == 0) {
        sched_yield();
      }
    }
    const ResidentPeak peak = StartResidentPeak();
    files_.report->start_anonymous_bytes = peak.anonymous_bytes;
    Start(&contexts_[0]);
    for (std::uint32_t i = 1; i < threads; ++i) {
      pthread_join(threads_[i], nullptr);
    }
    files_.report->peak_growth_bytes = PeakGrowth(peak);
    files_.report->end_anonymous_bytes = ReadResident().anonymous_bytes;
    files_.report->cache_line_bytes = kLineBytes;
    if (in.mode == ThreadMode::kCheck) VerifyRest();
    return true;
  }

 private:
  // Why this heap cannot serve so; nullptr where it can.
  const char* Cannot() const {
    const ThreadIn& in = files_.report->in;
    const bool many = files_.threads() > 1 || in.serves > 1;
    if (in.heap_each != 0 && Heap::kHeaps == Heaps::kOnePerProcess && many) {
      return "one heap a process";
    }
    if (many && in.heap_each == 0 && in.lock == ThreadLock::kNone &&
        Heap::kThreads == Threads::kOne) {
      return "one thread at a time";
    }
    if (in.heap_each != 0 && in.copies == 0 && many) {
      return "blocks change threads, and heaps do not share";
    }
    return nullptr;
  }

  bool Prepare() {
    const ThreadIn& in = files_.report->in;
    const std::uint32_t threads = files_.threads();
    const bool tracked = in.mode != ThreadMode::kTimed;
    contexts_ = MapResident<StreamContext>(threads);
    threads_ = MapResident<pthread_t>(threads);
    // A heap has room of its own: no two share a cache line.
    const std::uint32_t heaps = in.heap_each != 0 ? threads : 1;
    const std::size_t stride = (sizeof(Heap) + 255) / 256 * 256;
    std::byte* rooms = MapResident<std::byte>(heaps * stride);
    auto* positions = MapResident<Position>(threads + 1);
    shared_ = MapResident<SharedObject>(files_.program->shared);
    if (contexts_ == nullptr || threads_ == nullptr || rooms == nullptr ||
        positions == nullptr || shared_ == nullptr) {
      return false;
    }
    HeapOptions options;
    options.settings = in.settings;
    // Never destroyed: taking a heap apart is not part of a run.
    for (std::uint32_t i = 0; i < heaps; ++i) {
      new (rooms + i * stride) Heap(options);
    }
    for (std::uint32_t i = 0; i < threads; ++i) {
      StreamContext& context = *new (&contexts_[i]) StreamContext;
      const ThreadStream& stream = StreamOf(i);
      context.number = i;
      context.streams = threads;
      context.touch = in.touch;
      context.check = in.mode == ThreadMode::kCheck;
      if constexpr (requires { Heap::kHoldsContents; }) {
        context.holds_contents = Heap::kHoldsContents;
      }
      context.window = in.copies != 0 ? kEnded : files_.program->window;
      context.blocks = MapResident<void*>(stream.slots);
      if (tracked) context.sizes = MapResident<std::uint64_t>(stream.slots);
      if (context.blocks == nullptr || (tracked && context.sizes == nullptr)) {
        return false;
      }
      context.shared = shared_;
      context.positions = positions;
      context.lock = in.lock == ThreadLock::kEachRequest ? &lock_ : nullptr;
      context.report = &files_.stream_reports[i];
      context.process = files_.report;
      context.moment = Moment;
      context.run = this;
      heap_of_[i % kMostThreads] =
          reinterpret_cast<Heap*>(rooms + (in.heap_each != 0 ? i * stride : 0));
    }
    // Read once before the start: mapped, and in this process's tables.
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < files_.program->streams; ++i) {
      const ThreadStream& stream = files_.streams[i];
      for (std::uint64_t op = 0; op < stream.ops; op += 64) {
        sum += files_.ops[stream.first_op + op].word;
      }
    }
    ops_sum_ = sum;
    return true;
  }

  const ThreadStream& StreamOf(std::uint32_t thread) const {
    return files_.streams[files_.report->in.copies != 0 ? 0 : thread];
  }

  static void* Start(void* context) {
    auto* me = static_cast<StreamContext*>(context);
    static_cast<ThreadRun*>(me->run)->RunStream(*me);
    return nullptr;
  }

  void RunStream(StreamContext& me) {
    const ThreadStream& stream = StreamOf(me.number);
    const ThreadOp* const begin = files_.ops + stream.first_op;
    const ThreadOp* const end = begin + stream.ops - 1;  // before kEnd
    Heap& heap = *heap_of_[me.number];
    if (me.streams > 1) pthread_barrier_wait(&barrier_);
    me.report->start_ns = MonotonicNs();
    if (files_.report->in.lock == ThreadLock::kSlices) {
      RunInSlices(heap, me, begin, end);
    } else {
      RunPart(heap, me, begin, end);
    }
    me.positions[me.number].step.store(kEnded, std::memory_order_release);
    me.report->end_ns = MonotonicNs();
  }

  const ThreadOp* RunPart(Heap& heap, StreamContext& me, const ThreadOp* begin,
                          const ThreadOp* end) {
    return files_.report->in.mode == ThreadMode::kTimed
               ? RunOps<Heap, false>(heap, me, begin, end)
               : RunOps<Heap, true>(heap, me, begin, end);
  }

  // Between looks at the clock; a slice is about a hundred of these.
  static constexpr std::ptrdiff_t kOpsALook = 1024;

  void RunInSlices(Heap& heap, StreamContext& me, const ThreadOp* next,
                   const ThreadOp* end) {
    lock_.Begin();
    while (next < end) {
      const ThreadOp* const stop =
          end - next > kOpsALook ? next + kOpsALook : end;
      next = RunPart(heap, me, next, stop);
      lock_.Pass();
    }
    lock_.End();
  }

  static void Moment(void* run, std::uint32_t stream, std::uint32_t number) {
    auto* self = static_cast<ThreadRun*>(run);
    const bool many = self->files_.threads() > 1;
    if (many) pthread_barrier_wait(&self->barrier_);
    if (stream == 0 && self->files_.report->in.copies == 0) {
      self->Sample(&self->files_.moments[number]);
    }
    if (many) pthread_barrier_wait(&self->barrier_);
  }

  template <typename Visit>
  void VisitLive(Visit visit) const {
    for (std::uint32_t i = 0; i < files_.threads(); ++i) {
      const StreamContext& context = contexts_[i];
      for (std::uint32_t slot = 0; slot < StreamOf(i).slots; ++slot) {
        if (context.blocks[slot] != nullptr) {
          visit(context.blocks[slot], context.sizes[slot],
                std::uint64_t{i} << 32 | slot, i);
        }
      }
    }
    for (std::uint64_t i = 0; i < files_.program->shared; ++i) {
      const SharedObject& object = shared_[i];
      if (object.block != nullptr) {
        visit(object.block, object.size_bytes, std::uint64_t{1} << 63 | i,
              object.owner);
      }
    }
  }

  void Sample(MomentSample* sample) {
    sample->anonymous_bytes = ReadResident().anonymous_bytes;
    sample->heap = heap_of_[0]->Snapshot();
    for (std::uint32_t i = 0; i < files_.threads(); ++i) {
      sample->requested_bytes += contexts_[i].requested_bytes;
    }
    std::uint64_t live = 0;
    VisitLive(
        [&](void*, std::uint64_t, std::uint64_t, std::uint32_t) { ++live; });
    sample->live_blocks = live;
    sample->taken = 1;
    const std::size_t bytes = (live + 1) * sizeof(LiveBlock);
    void* room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return;
    auto* blocks = static_cast<LiveBlock*>(room);
    std::uint64_t i = 0;
    VisitLive([&](void* block, std::uint64_t size, std::uint64_t,
                  std::uint32_t owner) {
      blocks[i++] = {reinterpret_cast<std::uint64_t>(block),
                     size == 0 ? 1 : size, owner};
    });
    const LiveLines lines = CountLines(blocks, live);
    sample->lines = lines.lines;
    sample->shared_lines = lines.shared_lines;
    sample->overlaps = contexts_[0].holds_contents ? lines.overlaps : 0;
    munmap(room, bytes);
  }

  // What the trace leaves live must hold its bytes too.
  void VerifyRest() {
    if (!contexts_[0].holds_contents) return;
    VisitLive([&](void* block, std::uint64_t size, std::uint64_t object,
                  std::uint32_t owner) {
      if (!HasContent(block, size, ContentOf(object, size))) {
        ++files_.stream_reports[owner].corrupted;
      }
    });
  }

  ThreadFiles files_;
  StreamContext* contexts_ = nullptr;
  pthread_t* threads_ = nullptr;
  SharedObject* shared_ = nullptr;
  Heap* heap_of_[kMostThreads] = {};
  SliceLock lock_;
  pthread_barrier_t barrier_{};
  volatile std::uint64_t ops_sum_ = 0;  // so that the reading is not left out
};

}  // namespace arenalab
