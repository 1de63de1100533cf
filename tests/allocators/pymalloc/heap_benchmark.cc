// How long a request takes, beside the real pymalloc.
//
//   bazel run -c opt //tests/allocators/pymalloc:heap_benchmark
//
// The real one is called in a libpython that the environment names (it must be
// 3.11 or older: later ones need a running interpreter):
//
//   ARENALAB_LIBPYTHON=/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0
//
// Both are called as a program calls them, one call a request; times are for
// one pair of malloc and free. "Library was built as DEBUG" is about Debian's
// benchmark library, not about this program.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/runtime_generation.h"

namespace arenalab {
namespace {

// PyObject_Malloc and PyObject_Free of a libpython.
class RealPymalloc {
 public:
  explicit RealPymalloc(const HeapOptions&) {}
  static bool Load(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    malloc_ = reinterpret_cast<void* (*)(std::size_t)>(
        dlsym(library, "PyObject_Malloc"));
    free_ = reinterpret_cast<void (*)(void*)>(dlsym(library, "PyObject_Free"));
    return malloc_ != nullptr && free_ != nullptr;
  }
  void* Allocate(std::size_t bytes) { return malloc_(bytes); }
  void Free(void* p) { free_(p); }

 private:
  inline static void* (*malloc_)(std::size_t);
  inline static void (*free_)(void*);
};

class Random {
 public:
  std::uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33);
  }

 private:
  std::uint64_t state_ = 1;
};

// malloc(56), free, again and again: the fast path alone.
template <class H>
void SameSizeChurn(benchmark::State& state) {
  H heap{HeapOptions{}};
  void* pin = heap.Allocate(56);
  for (auto _ : state) {
    void* p = heap.Allocate(56);
    benchmark::DoNotOptimize(p);
    heap.Free(p);
  }
  heap.Free(pin);
}

// A hundred blocks of any size, then all of them back in order. One block
// stays: generations before 3.9 would map and unmap an arena each time.
template <class H>
void Mixed(benchmark::State& state) {
  H heap{HeapOptions{}};
  void* pin = heap.Allocate(56);
  Random random;
  std::vector<std::size_t> sizes(1 << 12);
  for (std::size_t& bytes : sizes) bytes = 1 + random.Next() % 256;
  void* blocks[100];
  std::size_t at = 0;
  for (auto _ : state) {
    for (void*& block : blocks)
      block = heap.Allocate(sizes[at++ % sizes.size()]);
    for (void* block : blocks) heap.Free(block);
  }
  heap.Free(pin);
  state.SetItemsProcessed(state.iterations() * 100);
}

// Any of 100,000 live blocks goes, another of its own size comes: cache misses,
// pools that fill and empty.
template <class H>
void RandomFree(benchmark::State& state) {
  H heap{HeapOptions{}};
  Random random;
  std::vector<void*> blocks(100000);
  for (void*& block : blocks) block = heap.Allocate(1 + random.Next() % 512);
  std::vector<std::uint32_t> order(1 << 16);
  for (std::uint32_t& i : order) i = random.Next();
  std::size_t at = 0;
  for (auto _ : state) {
    const std::uint32_t draw = order[at++ % order.size()];
    void*& block = blocks[draw % blocks.size()];
    heap.Free(block);
    block = heap.Allocate(1 + (draw >> 8) % 512);
  }
  for (void* block : blocks) heap.Free(block);
}

template <class H>
void Register(const char* name) {
  const auto add = [name](const char* what, void (*run)(benchmark::State&)) {
    benchmark::RegisterBenchmark((std::string(what) + "/" + name).c_str(), run);
  };
  add("same_size_churn", SameSizeChurn<H>);
  add("mixed", Mixed<H>);
  add("random_free", RandomFree<H>);
}

}  // namespace
}  // namespace arenalab

int main(int argc, char** argv) {
  using namespace arenalab;
  const char* path = std::getenv("ARENALAB_LIBPYTHON");
  if (path != nullptr && !RealPymalloc::Load(path)) {
    std::fprintf(stderr, "ARENALAB_LIBPYTHON: %s\n", dlerror());
    return 3;
  }
  if (path != nullptr) Register<RealPymalloc>("libpython");
  Register<Heap<Classic>>("classic");
  Register<Heap<Cpython39>>("cpython-3.9");
  Register<Heap<Cpython311>>("cpython-3.11");
  Register<Heap<RuntimeGeneration>>("runtime");
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
