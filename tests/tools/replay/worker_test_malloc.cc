// Small malloc libraries to preload into a worker, one a build:
//
//   SOUND        hands out memory that is never used again; correct
//   COUNTING     as SOUND, and counts its calls in the file $COUNT_FILE
//   OVERLAPPING  every eighth block begins inside the one before it
//   CRASHING     raises SIGSEGV at the third request
//   PARTIAL      malloc and free, but neither calloc nor realloc
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kHeapBytes = std::size_t{4} << 30;
constexpr std::size_t kHeaderBytes = 16;

char* heap = nullptr;
std::size_t used = 0;
std::uint64_t calls = 0;
std::uint64_t* calls_shown = &calls;

void Count() { ++*calls_shown; }

void* Take(std::size_t align, std::size_t bytes) {
#ifdef ARENALAB_TEST_MALLOC_CRASHING
  if (calls >= 3) raise(SIGSEGV);
#endif
  if (heap == nullptr) {
    void* base = mmap(nullptr, kHeapBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return nullptr;
    heap = static_cast<char*>(base);
  }
  if (align < 16) align = 16;
  if (bytes > kHeapBytes / 2) return nullptr;
  std::size_t start = (used + kHeaderBytes + align - 1) & ~(align - 1);
  if (start + bytes > kHeapBytes) return nullptr;
  used = start + bytes;
#ifdef ARENALAB_TEST_MALLOC_OVERLAPPING
  if (calls % 8 == 0 && bytes >= 64) used = start + bytes - 48;
#endif
  std::memcpy(heap + start - sizeof(bytes), &bytes, sizeof(bytes));
  return heap + start;
}

#ifndef ARENALAB_TEST_MALLOC_PARTIAL
std::size_t SizeOf(const void* p) {
  std::size_t bytes;
  std::memcpy(&bytes, static_cast<const char*>(p) - sizeof(bytes),
              sizeof(bytes));
  return bytes;
}
#endif

#ifdef ARENALAB_TEST_MALLOC_COUNTING
__attribute__((constructor)) void ShowCalls() {
  const char* path = getenv("COUNT_FILE");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(calls)) != 0) return;
  void* base =
      mmap(nullptr, sizeof(calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (base == MAP_FAILED) return;
  calls_shown = static_cast<std::uint64_t*>(base);
  *calls_shown = calls;  // those from before this constructor
}
#endif

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  Count();
  return Take(16, bytes);
}
void free(void*) { Count(); }

#ifndef ARENALAB_TEST_MALLOC_PARTIAL
void* calloc(std::size_t count, std::size_t bytes) {
  Count();
  std::size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return nullptr;
  return Take(16, total);
}
void* realloc(void* p, std::size_t bytes) {
  Count();
  void* moved = Take(16, bytes);
  if (p != nullptr && moved != nullptr) {
    std::memcpy(moved, p, SizeOf(p) < bytes ? SizeOf(p) : bytes);
  }
  return moved;
}
int posix_memalign(void** result, std::size_t align, std::size_t bytes) {
  Count();
  *result = Take(align, bytes);
  return *result == nullptr ? 12 : 0;
}
#endif

}  // extern "C"
