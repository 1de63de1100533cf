// The look and the line; contract in finalise_note.h. Nothing here allocates.
#include "allocators/preload/finalise_note.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocators/preload/measure_at.h"

// The oldest versions, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver clock_gettime, clock_gettime@GLIBC_2.2.5");

namespace arenalab::preload {
namespace {

constinit PythonApi python{};
constinit char note_path[4096]{};
pid_t noted = 0;  // a child of fork() has its own end

using SigAction = int (*)(int, const struct sigaction*, struct sigaction*);
SigAction real_sigaction = nullptr;

void Note() {
  noted = getpid();
  MeasureFinalise();
  if (note_path[0] == 0) return;
  char text[256];
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t bytes = read(fd, text, sizeof(text) - 1);
  close(fd);
  text[bytes < 0 ? 0 : bytes] = 0;
  const char* resident = strchr(text, ' ');
  if (resident == nullptr) return;
  const long pages = strtol(resident, nullptr, 10);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  char line[96];
  const int length =
      snprintf(line, sizeof(line), "%d %ld %lld\n", static_cast<int>(noted),
               pages * (getpagesize() / 1024),
               static_cast<long long>(now.tv_sec) * 1000000000 + now.tv_nsec);
  fd = open(note_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return;
  static_cast<void>(!write(fd, line, static_cast<std::size_t>(length)));
  close(fd);
}

}  // namespace

void PlanFinaliseNote(const PythonApi& found, const char* path) {
  python = found;
  if (path == nullptr || strlen(path) >= sizeof(note_path)) return;
  strcpy(note_path, path);
}

}  // namespace arenalab::preload

#pragma GCC visibility push(default)
extern "C" int sigaction(int number, const struct sigaction* to,
                         struct sigaction* from) noexcept {
  using namespace arenalab::preload;  // NOLINT(google-build-using-namespace)
  const bool wanted = note_path[0] != 0 || IsMeasuring();
  if (wanted && noted != getpid() && IsFinalising(python)) Note();
  if (real_sigaction == nullptr) {
    real_sigaction = reinterpret_cast<SigAction>(dlsym(RTLD_NEXT, "sigaction"));
  }
  return real_sigaction(number, to, from);
}
#pragma GCC visibility pop
