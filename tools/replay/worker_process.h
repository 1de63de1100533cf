// Runs one replay worker from start to end.
//
// It is started as worker_spawn.h says. Its standard error is kept from the
// terminal; its first line goes into the error, if there is one. Memory and
// check runs have a fixed address layout, timed runs a random one.
//
// Threads: any; each call has its own worker.
#pragma once

#include <cstddef>
#include <span>

#include "tools/replay/allocator_spec.h"
#include "tools/replay/worker_protocol.h"

namespace arenalab {

// The mapping that a worker has filled.
class WorkerReport {
 public:
  // A mapping for `in.samples` samples, with `in` in place.
  explicit WorkerReport(const ReplayIn& in);
  ~WorkerReport();
  WorkerReport(WorkerReport&& other) noexcept;
  WorkerReport& operator=(WorkerReport&&) = delete;

  const ReplayReport* operator->() const { return report_; }
  std::span<const ReplaySample> samples() const {
    return {reinterpret_cast<const ReplaySample*>(report_ + 1),
            report_->in.samples};
  }
  // Where each request that returns a block got it; none if not asked for.
  std::span<const std::uint64_t> addresses() const {
    return {reinterpret_cast<const std::uint64_t*>(samples().data() +
                                                   samples().size()),
            report_->in.addresses};
  }
  int fd() const { return fd_; }

 private:
  int fd_;
  std::size_t bytes_;
  ReplayReport* report_;
};

// `in.settings` is filled in here, from the spec. Returns what a worker that
// exited 0 has written; throws InputError naming the allocator otherwise.
WorkerReport RunWorker(const AllocatorSpec& spec, int ops_fd, ReplayIn in);

}  // namespace arenalab
