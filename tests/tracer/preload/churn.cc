// Threads that allocate, reallocate and free in libc as fast as they can, for
// the test of the order between threads: Churn(threads, rounds).
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int kBlocks = 64;

void Run(unsigned seed, int rounds) {
  void* blocks[kBlocks] = {};
  for (int i = 0; i < rounds; ++i) {
    seed = seed * 1103515245 + 12345;
    void*& block = blocks[(seed >> 16) % kBlocks];
    const std::size_t size = 16 + (seed >> 20);  // up to 4 KiB
    if ((seed >> 8) % 4 == 0) {
      std::free(block);
      block = nullptr;
    } else {
      block = std::realloc(block, size);
      std::memset(block, 1, 16);
    }
  }
  for (void* block : blocks) std::free(block);
}

}  // namespace

extern "C" void Churn(int threads, int rounds) {
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back(Run, i + 1, rounds);
  for (std::thread& thread : running) thread.join();
}
