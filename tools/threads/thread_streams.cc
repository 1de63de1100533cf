// Two walks over the steps: the first finds the objects that change streams,
// the second writes the operations.
#include "tools/threads/thread_streams.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <system_error>

#include "tools/threads/thread_op.h"
#include "tools/threads/thread_protocol.h"

namespace arenalab {
namespace {

constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// The recorded thread of each step, in the order of the steps.
class ThreadCursor {
 public:
  explicit ThreadCursor(const CompiledTrace& trace) : trace_(trace) {}
  std::uint32_t At(std::uint64_t step) {
    const auto& origins = trace_.origins;
    while (next_ < origins.size() && origins[next_].step <= step) {
      thread_ = origins[next_++].thread;
    }
    return thread_;
  }

 private:
  const CompiledTrace& trace_;
  std::size_t next_ = 0;
  std::uint32_t thread_ = 0;
};

// Which stream each recorded thread goes to.
std::vector<std::uint32_t> Deal(const std::vector<std::uint64_t>& steps,
                                std::uint32_t streams) {
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return steps[a] > steps[b]; });
  std::vector<std::uint64_t> load(streams);
  std::vector<std::uint32_t> stream_of(steps.size());
  for (const std::size_t thread : order) {
    const auto least = std::ranges::min_element(load) - load.begin();
    stream_of[thread] = static_cast<std::uint32_t>(least);
    load[static_cast<std::size_t>(least)] += steps[thread];
  }
  return stream_of;
}

// What the first walk finds, in bits.
struct Sharing {
  std::vector<bool> publishes;  // by step: the next on the object is another's
  std::vector<bool> shared;     // by birth: more than one stream uses it
  std::vector<std::uint64_t> born;  // shared objects by stream of birth
};

bool IsBirth(const Step& step) {
  return step.code == OpCode::kAlloc || step.code == OpCode::kZeroed ||
         step.code == OpCode::kAligned;
}

Sharing FindSharing(const CompiledTrace& trace,
                    const std::vector<std::uint32_t>& stream_of,
                    std::uint32_t streams) {
  struct Object {
    std::uint64_t birth = 0;
    std::uint64_t last_step = 0;
    std::uint32_t last_stream = kNobody;
    std::uint32_t birth_stream = kNobody;
  };
  Sharing found;
  found.publishes.resize(trace.steps);
  found.born.resize(streams);
  std::vector<Object> objects(trace.slots);
  StepCursor cursor(trace);
  ThreadCursor threads(trace);
  Step step;
  for (std::uint64_t i = 0; cursor.Next(&step); ++i) {
    const std::uint32_t stream = stream_of[threads.At(i)];
    Object& object = objects[step.slot];
    if (IsBirth(step)) {
      object = {.birth = found.shared.size(),
                .last_step = i,
                .last_stream = stream,
                .birth_stream = stream};
      found.shared.push_back(false);
      continue;
    }
    if (object.last_stream != stream) {
      found.publishes[object.last_step] = true;
      if (!found.shared[object.birth]) {
        found.shared[object.birth] = true;
        ++found.born[object.birth_stream];
      }
    }
    object.last_step = i;
    object.last_stream = stream;
  }
  return found;
}

// One stream's operations, and its own numbers for objects.
struct Writer {
  std::vector<ThreadOp> ops;
  std::vector<std::uint32_t> free_slots;
  std::uint32_t slots = 0;
  std::uint64_t events = 0;
  std::uint64_t position = 0;  // last published

  std::uint32_t TakeSlot() {
    if (free_slots.empty()) return slots++;
    const std::uint32_t slot = free_slots.back();
    free_slots.pop_back();
    return slot;
  }
  void Publish(std::uint64_t step) {
    ops.push_back(MakeThreadOp(ThreadCode::kPosition, 0, 0, 0));
    ops.push_back(MakeWideThreadOp(step));
    position = step;
  }
};

void Append(Writer* writer, const Step& step, std::uint32_t slot,
            std::uint32_t flags, std::uint32_t turn) {
  const bool wide = step.size_bytes >= kWideThreadSize;
  const std::uint32_t size =
      wide ? kWideThreadSize : static_cast<std::uint32_t>(step.size_bytes);
  writer->ops.push_back(
      MakeThreadOp(static_cast<ThreadCode>(step.code), slot, size, flags));
  if (wide) writer->ops.push_back(MakeWideThreadOp(step.size_bytes));
  if (step.code == OpCode::kAligned) {
    writer->ops.push_back({step.align_log2, 0});
  }
  if ((flags & (kWait | kPublish)) != 0) writer->ops.push_back({turn, 0});
  ++writer->events;
}
static_assert(static_cast<int>(OpCode::kFree) ==
                  static_cast<int>(ThreadCode::kFree) &&
              static_cast<int>(OpCode::kRealloc) ==
                  static_cast<int>(ThreadCode::kRealloc));

void WriteAll(int fd, const void* from, std::size_t bytes) {
  const char* p = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t wrote = write(fd, p, bytes);
    if (wrote <= 0) {
      throw std::system_error(errno, std::generic_category(),
                              "no memory for the threads' operations");
    }
    p += wrote;
    bytes -= static_cast<std::size_t>(wrote);
  }
}

}  // namespace

std::vector<std::uint64_t> StepsByThread(const CompiledTrace& trace) {
  std::vector<std::uint64_t> steps;
  for (std::size_t i = 0; i < trace.origins.size(); ++i) {
    const Origin& origin = trace.origins[i];
    const std::uint64_t end =
        i + 1 < trace.origins.size() ? trace.origins[i + 1].step : trace.steps;
    if (origin.thread >= steps.size()) steps.resize(origin.thread + 1);
    steps[origin.thread] += end - origin.step;
  }
  if (steps.empty()) steps.push_back(0);
  return steps;
}

std::vector<std::uint64_t> ThreadMoments(const CompiledTrace& trace,
                                         std::uint32_t count) {
  std::vector<std::uint64_t> moments;
  for (std::uint64_t i = 1; i <= count; ++i) {
    moments.push_back(trace.steps * i / (count + 1));
  }
  std::vector<std::uint64_t> sizes(trace.slots);
  std::uint64_t live = 0;
  std::uint64_t most = 0;
  std::uint64_t peak = 0;
  StepCursor cursor(trace);
  for (Step step; cursor.Next(&step);) {
    live -= sizes[step.slot];
    sizes[step.slot] = step.code == OpCode::kFree ? 0 : step.size_bytes;
    live += sizes[step.slot];
    if (live > most) {
      most = live;
      peak = cursor.steps();
    }
  }
  moments.push_back(peak);
  moments.push_back(trace.steps);
  std::ranges::sort(moments);
  const auto [first, last] = std::ranges::unique(moments);
  moments.erase(first, last);
  return moments;
}

ThreadStreams::ThreadStreams(const CompiledTrace& trace,
                             const StreamOptions& options)
    : fd_(memfd_create("thread streams", MFD_CLOEXEC)) {
  if (fd_ < 0) {
    throw std::system_error(errno, std::generic_category(),
                            "no memory for the threads' operations");
  }
  const std::vector<std::uint64_t> by_thread = StepsByThread(trace);
  const auto used = static_cast<std::uint32_t>(
      std::ranges::count_if(by_thread, [](auto steps) { return steps != 0; }));
  const std::uint32_t streams =
      std::max(1u, std::min({options.streams, used, kMostThreads}));
  const std::vector<std::uint32_t> stream_of = Deal(by_thread, streams);
  const Sharing sharing = FindSharing(trace, stream_of, streams);

  // A stream's shared objects stand together: no two streams write births
  // into one cache line, but at the borders.
  std::vector<std::uint64_t> next_shared(streams);
  std::exclusive_scan(sharing.born.begin(), sharing.born.end(),
                      next_shared.begin(), std::uint64_t{0});
  shared_ = std::accumulate(sharing.born.begin(), sharing.born.end(),
                            std::uint64_t{0});

  struct Object {
    std::uint32_t number = 0;
    std::uint32_t last_stream = kNobody;
    std::uint32_t moves = 0;
    bool shared = false;
  };
  std::vector<Object> objects(trace.slots);
  std::vector<Writer> writers(streams);
  StepCursor cursor(trace);
  ThreadCursor threads(trace);
  std::uint64_t births = 0;
  const auto take_moments = [&](std::uint64_t step) {
    while (moments_ < options.moments.size() &&
           options.moments[moments_] <= step) {
      for (Writer& writer : writers) {
        if (options.window != 0) writer.Publish(options.moments[moments_]);
        writer.ops.push_back(MakeThreadOp(ThreadCode::kMoment, moments_, 0, 0));
      }
      ++moments_;
    }
  };
  Step step;
  for (std::uint64_t i = 0; take_moments(i), cursor.Next(&step); ++i) {
    const std::uint32_t stream = stream_of[threads.At(i)];
    Writer& writer = writers[stream];
    if (options.window != 0 &&
        (i == 0 || i - writer.position >=
                       std::max<std::uint64_t>(1, options.window / 8))) {
      writer.Publish(i);
    }
    Object& object = objects[step.slot];
    std::uint32_t flags = 0;
    if (IsBirth(step)) {
      const bool shared = sharing.shared[births++];
      object = {
          .number = shared ? static_cast<std::uint32_t>(next_shared[stream]++)
                           : writer.TakeSlot(),
          .last_stream = stream,
          .shared = shared};
    } else if (object.last_stream != stream) {
      flags |= kWait;
      ++object.moves;
      ++handovers_;
      object.last_stream = stream;
    }
    if (object.shared) flags |= kShared;
    if (sharing.publishes[i]) flags |= kPublish;
    Append(&writer, step, object.number, flags, object.moves);
    if (step.code == OpCode::kFree && !object.shared) {
      writer.free_slots.push_back(object.number);
    }
  }

  ThreadProgram head{.magic = kThreadMagic,
                     .streams = streams,
                     .moments = moments_,
                     .shared = shared_,
                     .window = options.window};
  WriteAll(fd_, &head, sizeof(head));
  std::uint64_t first_op = 0;
  streams_.resize(streams);
  for (std::uint32_t i = 0; i < streams; ++i) {
    Writer& writer = writers[i];
    writer.ops.push_back(MakeThreadOp(ThreadCode::kEnd, 0, 0, 0));
    const ThreadStream stream{.first_op = first_op,
                              .ops = writer.ops.size(),
                              .events = writer.events,
                              .slots = writer.slots,
                              .unused = 0};
    WriteAll(fd_, &stream, sizeof(stream));
    first_op += writer.ops.size();
    events_ += writer.events;
    streams_[i].events = writer.events;
    streams_[i].slots = writer.slots;
  }
  for (std::size_t thread = 0; thread < by_thread.size(); ++thread) {
    if (by_thread[thread] != 0) {
      streams_[stream_of[thread]].threads.push_back(
          static_cast<std::uint32_t>(thread));
    }
  }
  for (const Writer& writer : writers) {
    WriteAll(fd_, writer.ops.data(), writer.ops.size() * sizeof(ThreadOp));
  }
}

ThreadStreams::~ThreadStreams() { close(fd_); }

}  // namespace arenalab
