// Counting, and reading what the kernel says; contract in measure_at.h. Nothing
// here allocates.
#include "allocators/preload/measure_at.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

namespace arenalab::preload {
namespace {

constexpr std::size_t kMost = 64;

struct Plan {
  char path[4096];
  std::uint64_t at[kMost];
  std::size_t count;
  std::uint64_t done;
  pid_t process;
};
constinit Plan plan{};
constinit PythonAllocator real_of[kDomains]{};

// The kilobytes behind `name` in smaps_rollup's text.
long Field(const char* text, const char* name) {
  const char* at = strstr(text, name);
  return at == nullptr ? -1 : strtol(at + strlen(name), nullptr, 10);
}

void Write(const char* label) {
  if (getpid() != plan.process) return;
  char text[2048];
  int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
  if (fd >= 0) close(fd);
  text[bytes < 0 ? 0 : bytes] = 0;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  char line[160];
  const int length = snprintf(line, sizeof(line), "%s %ld %ld %ld %ld\n", label,
                              Field(text, "Anonymous:"), Field(text, "Rss:"),
                              usage.ru_minflt, usage.ru_majflt);
  fd = open(plan.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return;
  static_cast<void>(!write(fd, line, static_cast<std::size_t>(length)));
  close(fd);
}

void Count() {
  const std::uint64_t done = ++plan.done;
  for (std::size_t i = 0; i < plan.count; ++i) {
    if (plan.at[i] != done) continue;
    char label[32];
    snprintf(label, sizeof(label), "%llu",
             static_cast<unsigned long long>(done));
    Write(label);
  }
}

const PythonAllocator& Real(void* context) {
  return *static_cast<PythonAllocator*>(context);
}

[[gnu::destructor]] void End() {
  if (IsMeasuring()) Write("end");
}

}  // namespace

const char* PlanMeasuring(const char* text) {
  const char* list = strrchr(text, ':');
  if (list == nullptr ||
      static_cast<std::size_t>(list - text) >= sizeof(plan.path)) {
    return "ARENALAB_MEASURE_AT is FILE:N,N,...";
  }
  memcpy(plan.path, text, static_cast<std::size_t>(list - text));
  for (++list;; ++list) {
    char* end;
    const std::uint64_t at = strtoull(list, &end, 10);
    if (end == list || (*end != ',' && *end != 0) || plan.count == kMost) {
      return "ARENALAB_MEASURE_AT is FILE:N,N,... with at most 64 numbers";
    }
    plan.at[plan.count++] = at;
    list = end;
    if (*list == 0) break;
  }
  plan.process = getpid();
  return nullptr;
}

bool IsMeasuring() { return plan.count != 0; }

void MeasureFinalise() {
  if (IsMeasuring()) Write("finalise");
}

PythonAllocator Measured(Domain domain, const PythonAllocator& real) {
  real_of[domain] = real;
  return {
      &real_of[domain],
      [](void* context, std::size_t size) {
        void* block = Real(context).malloc(Real(context).context, size);
        if (block != nullptr) Count();
        return block;
      },
      [](void* context, std::size_t count, std::size_t size) {
        void* block = Real(context).calloc(Real(context).context, count, size);
        if (block != nullptr) Count();
        return block;
      },
      [](void* context, void* old, std::size_t size) {
        void* block = Real(context).realloc(Real(context).context, old, size);
        if (block != nullptr) Count();
        return block;
      },
      [](void* context, void* block) {
        Real(context).free(Real(context).context, block);
        if (block != nullptr) Count();
      }};
}

}  // namespace arenalab::preload
