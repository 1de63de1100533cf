// One lock around one heap, in the two ways that CPython's models need.
//
//   Take(), Drop()   a mutex: for every request (ThreadLock::kEachRequest)
//   Begin(), Pass(), End()   the GIL's rule: whoever has it keeps it until
//                    kSliceNs have passed and another waits; then it is handed
//                    to another for certain (ThreadLock::kSlices)
//
// Source of the rule: CPython's ceval_gil, FORCE_SWITCHING. What it leaves out:
// a program gives the GIL up when it waits for input or output; a replay waits
// for nothing.
//
// Linked into workers. Threads: any.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "tools/threads/thread_waiting.h"

namespace arenalab {

class SliceLock {
 public:
  void Take() { pthread_mutex_lock(&mutex_); }
  void Drop() { pthread_mutex_unlock(&mutex_); }

  void Begin() {
    pthread_mutex_lock(&mutex_);
    waiting_.fetch_add(1, std::memory_order_relaxed);
    while (held_) pthread_cond_wait(&freed_, &mutex_);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    held_ = true;
    ++switches_;
    since_ns_ = MonotonicNs();
    pthread_cond_broadcast(&switched_);
    pthread_mutex_unlock(&mutex_);
  }
  // By the holder, now and then.
  void Pass() {
    if (waiting_.load(std::memory_order_relaxed) == 0 ||
        MonotonicNs() - since_ns_ < kSliceNs) {
      return;
    }
    pthread_mutex_lock(&mutex_);
    held_ = false;
    const std::uint64_t before = switches_;
    pthread_cond_signal(&freed_);
    while (switches_ == before) pthread_cond_wait(&switched_, &mutex_);
    pthread_mutex_unlock(&mutex_);
    Begin();
  }
  void End() {
    pthread_mutex_lock(&mutex_);
    held_ = false;
    pthread_cond_signal(&freed_);
    pthread_mutex_unlock(&mutex_);
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t freed_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t switched_ = PTHREAD_COND_INITIALIZER;
  bool held_ = false;
  std::uint64_t switches_ = 0;
  std::uint64_t since_ns_ = 0;  // the holder's
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace arenalab
