// A second preload library that only counts: the independent witness of how
// many requests an interpreter made. Written apart from the tracer's hooks on
// purpose. At exit it writes "LAYER REQUESTS FREES" lines into $COUNTS.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

namespace {

struct Allocator {
  void* context;
  void* (*malloc)(void*, size_t);
  void* (*calloc)(void*, size_t, size_t);
  void* (*realloc)(void*, void*, size_t);
  void (*free)(void*, void*);
};

struct Counter {
  Allocator real;
  unsigned long requests;  // that gave a block
  unsigned long frees;     // of a block
};
Counter counters[3];

void* Malloc(void* context, size_t size) {
  auto* counter = static_cast<Counter*>(context);
  void* block = counter->real.malloc(counter->real.context, size);
  counter->requests += block != nullptr;
  return block;
}
void* Calloc(void* context, size_t count, size_t size) {
  auto* counter = static_cast<Counter*>(context);
  void* block = counter->real.calloc(counter->real.context, count, size);
  counter->requests += block != nullptr;
  return block;
}
void* Realloc(void* context, void* old, size_t size) {
  auto* counter = static_cast<Counter*>(context);
  void* block = counter->real.realloc(counter->real.context, old, size);
  counter->requests += block != nullptr;
  return block;
}
void Free(void* context, void* block) {
  auto* counter = static_cast<Counter*>(context);
  counter->frees += block != nullptr;
  counter->real.free(counter->real.context, block);
}

[[gnu::constructor]] void Start() {
  const auto get = reinterpret_cast<void (*)(int, Allocator*)>(
      dlsym(RTLD_DEFAULT, "PyMem_GetAllocator"));
  const auto set = reinterpret_cast<void (*)(int, Allocator*)>(
      dlsym(RTLD_DEFAULT, "PyMem_SetAllocator"));
  if (get == nullptr || set == nullptr) return;
  // Not the raw domain: the interpreter swaps it while it starts.
  for (int domain = 1; domain < 3; ++domain) {
    Counter* counter = &counters[domain];
    get(domain, &counter->real);
    Allocator ours = {counter, Malloc, Calloc, Realloc, Free};
    set(domain, &ours);
  }
}

[[gnu::destructor]] void Stop() {
  const char* path = getenv("COUNTS");
  if (path == nullptr || counters[1].real.malloc == nullptr) return;
  FILE* out = fopen(path, "w");
  if (out == nullptr) return;
  for (int domain = 1; domain < 3; ++domain) {
    fprintf(out, "%s %lu %lu\n", domain == 1 ? "mem" : "obj",
            counters[domain].requests, counters[domain].frees);
  }
  fclose(out);
}

}  // namespace
