// A library whose constructor has blocks from the interpreter before it starts,
// and before anything is put under it (up to 3.11).
#include <dlfcn.h>

#include <cstring>

namespace {
void* small_block = nullptr;
void* large_block = nullptr;

__attribute__((constructor)) void Take() {
  const auto allocate = reinterpret_cast<void* (*)(std::size_t)>(
      dlsym(RTLD_DEFAULT, "PyObject_Malloc"));
  if (allocate == nullptr) return;
  small_block = allocate(100);
  large_block = allocate(5000);
  std::memset(small_block, 'a', 100);
  std::memset(large_block, 'b', 5000);
}
}  // namespace

extern "C" {
void* early_small() { return small_block; }
void* early_large() { return large_block; }
}
