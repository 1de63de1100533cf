// Runs streams inside the test, so that sanitizers see the threads: the
// mappings of a worker, made from hand-written traces.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/tools/replay/tiny_trace.h"
#include "tools/threads/thread_process.h"
#include "tools/threads/thread_run.h"
#include "tools/threads/thread_streams.h"

namespace arenalab {

class MappedStreams {
 public:
  explicit MappedStreams(const ThreadStreams& streams) {
    struct stat status {};
    EXPECT_EQ(fstat(streams.fd(), &status), 0);
    bytes_ = static_cast<std::size_t>(status.st_size);
    base_ = mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, streams.fd(), 0);
    EXPECT_NE(base_, MAP_FAILED);
  }
  ~MappedStreams() { munmap(base_, bytes_); }
  MappedStreams(const MappedStreams&) = delete;
  MappedStreams& operator=(const MappedStreams&) = delete;

  const ThreadProgram& head() const {
    return *static_cast<const ThreadProgram*>(base_);
  }
  const ThreadStream* streams() const {
    return reinterpret_cast<const ThreadStream*>(&head() + 1);
  }
  const ThreadOp* ops() const {
    return reinterpret_cast<const ThreadOp*>(streams() + head().streams);
  }
  // Of one stream, kEnd included.
  std::vector<ThreadOp> OpsOf(std::size_t stream) const {
    const ThreadOp* first = ops() + streams()[stream].first_op;
    return {first, first + streams()[stream].ops};
  }

 private:
  std::size_t bytes_ = 0;
  void* base_ = nullptr;
};

// One run on `Heap` in this process.
template <typename Heap>
ThreadOutcome RunHere(const ThreadStreams& streams,
                      const ThreadRunOptions& options) {
  const MappedStreams mapped(streams);
  const std::size_t threads =
      options.copies != 0 ? options.copies : streams.streams().size();
  auto report = std::make_unique<ThreadReport>();
  std::vector<StreamReport> stream_reports(threads);
  std::vector<MomentSample> moments(streams.moments());
  report->in.magic = kThreadMagic;
  report->in.copies = options.copies;
  report->in.heap_each = options.heap_each;
  report->in.serves = options.serves;
  report->in.mode = options.mode;
  report->in.touch = options.touch;
  report->in.lock = options.lock;
  auto run = std::make_unique<ThreadRun<Heap>>(
      ThreadFiles{.program = &mapped.head(),
                  .streams = mapped.streams(),
                  .ops = mapped.ops(),
                  .report = report.get(),
                  .stream_reports = stream_reports.data(),
                  .moments = moments.data()});
  ThreadOutcome outcome;
  EXPECT_TRUE(run->Run()) << report->error;
  outcome.not_applicable = report->not_applicable;
  outcome.streams = stream_reports;
  outcome.moments = moments;
  return outcome;
}

}  // namespace arenalab
