// The clone as an interpreter sees it: one heap, or from 3.12 on one for each
// interpreter that has an allocator state of its own.
//
//   only    the main interpreter's heap, while there is no other: what the fast
//           path looks at. nullptr from the first isolated interpreter on;
//           then each request asks which interpreter it comes from.
//
// WHO IS IT? The interpreter's address and its number, which is never used
// twice: an address is. Each thread remembers the heap of the last pair.
//
// WHEN AN INTERPRETER ENDS nobody tells. Its heap goes when another interpreter
// is made at its address, where all its blocks are free; otherwise it is
// leaked, as CPython leaks such a state.
//
// THREADS. Each heap under its interpreter's lock; the list of heaps has its
// own.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "allocators/heap_options.h"
#include "allocators/interpreter/python_api.h"

namespace arenalab::preload {

// The heap that this thread asked last, and whose it is. Not a member: there is
// one kind of heap in a process, and few bytes for each thread.
struct LastHeap {
  void* interpreter;
  std::int64_t id;
  void* heap;
};
inline thread_local constinit LastHeap last_heap{};

template <class H>
class HeapOfStates {
 public:
  // REQUIRES: called once, before any other.
  void Start(const PythonApi& python, const HeapOptions& first,
             const HeapOptions& others) {
    python_ = &python;
    new (others_storage_) HeapOptions(others);
    only_ = main_ = new (storage_) H(first);
  }

  H* Current() {
    H* heap = only_;
    return heap != nullptr ? heap : OfThread();
  }
  H* main() { return main_; }
  bool many() const { return only_ == nullptr; }

  // An interpreter is being made, which may have a state of its own.
  void ExpectAnother() { only_ = nullptr; }

  // visit(id, heap) for each; 0 is the main interpreter's and those that share
  // it.
  template <class Visitor>
  void Visit(Visitor&& visit) {
    visit(std::int64_t{0}, main_);
    for (Node* node = nodes_.load(); node != nullptr; node = node->next) {
      if (node->heap != nullptr) visit(node->id, node->heap);
    }
  }

 private:
  struct Node {
    void* interpreter;
    std::int64_t id;
    H* heap;  // nullptr: destroyed
    Node* next;
    alignas(H) unsigned char storage[sizeof(H)];
  };
  [[gnu::noinline]] H* OfThread() {
    void* const thread = python_->thread_state();
    if (thread == nullptr) return main_;
    void* const interpreter = python_->interpreter_of(thread);
    const std::int64_t id = python_->interpreter_id(interpreter);
    if (last_heap.interpreter != interpreter || last_heap.id != id) {
      last_heap = {interpreter, id, Find(interpreter, id)};
    }
    return static_cast<H*>(last_heap.heap);
  }

  H* Find(void* interpreter, std::int64_t id) {
    if (CurrentState(*python_) == 0) return main_;
    for (Node* node = nodes_.load(); node != nullptr; node = node->next) {
      if (node->interpreter != interpreter || node->heap == nullptr) continue;
      if (node->id == id) return node->heap;
      Bury(node);
    }
    return Make(interpreter, id);
  }

  // Another interpreter stands at its address, so it is gone, and nobody else
  // looks for it.
  void Bury(Node* node) {
    std::uint64_t live = 0;
    node->heap->VisitArenas([&](const auto& arena) {
      node->heap->VisitPools(
          arena, [&](const auto& pool) { live += pool.live_blocks; });
    });
    if (live == 0) node->heap->~H();
    node->heap = nullptr;
  }

  H* Make(void* interpreter, std::int64_t id) {
    const RawSource& tables = others().metadata_source;
    void* memory = tables.allocate(tables.context, sizeof(Node));
    if (memory == nullptr) return main_;  // no memory at all: nothing works
    Node* node = new (memory) Node{interpreter, id, nullptr, nullptr, {}};
    node->heap = new (node->storage) H(others());
    node->next = nodes_.load();
    while (!nodes_.compare_exchange_weak(node->next, node)) sched_yield();
    return node->heap;
  }

  const HeapOptions& others() const {
    return *std::launder(reinterpret_cast<const HeapOptions*>(others_storage_));
  }

  H* only_ = nullptr;
  H* main_ = nullptr;
  const PythonApi* python_ = nullptr;
  std::atomic<Node*> nodes_{nullptr};
  alignas(HeapOptions) unsigned char others_storage_[sizeof(HeapOptions)] = {};
  alignas(H) unsigned char storage_[sizeof(H)] = {};
};

}  // namespace arenalab::preload
