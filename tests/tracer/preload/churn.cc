// Threads that allocate, reallocate and free as fast as they can, for the test
// of the order between threads: Churn(threads, rounds) in libc, ChurnRaw in
// Python's raw domain.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int kBlocks = 64;

using Reallocate = void* (*)(void*, std::size_t);
using Free = void (*)(void*);

void Run(unsigned seed, int rounds, Reallocate reallocate, Free free) {
  void* blocks[kBlocks] = {};
  for (int i = 0; i < rounds; ++i) {
    seed = seed * 1103515245 + 12345;
    void*& block = blocks[(seed >> 16) % kBlocks];
    const std::size_t size = 16 + (seed >> 20);  // up to 4 KiB
    if ((seed >> 8) % 4 == 0) {
      free(block);
      block = nullptr;
    } else {
      block = reallocate(block, size);
      std::memset(block, 1, 16);
    }
  }
  for (void* block : blocks) free(block);
}

void RunThreads(int threads, int rounds, Reallocate reallocate, Free free) {
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back(Run, i + 1, rounds, reallocate, free);
  }
  for (std::thread& thread : running) thread.join();
}

}  // namespace

extern "C" void Churn(int threads, int rounds) {
  RunThreads(threads, rounds, std::realloc, std::free);
}

extern "C" void ChurnRaw(int threads, int rounds) {
  RunThreads(
      threads, rounds,
      reinterpret_cast<Reallocate>(dlsym(RTLD_DEFAULT, "PyMem_RawRealloc")),
      reinterpret_cast<Free>(dlsym(RTLD_DEFAULT, "PyMem_RawFree")));
}
