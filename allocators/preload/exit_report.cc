// The report at exit, and the two functions of `sys`; contract in
// exit_report.h.
#include "allocators/preload/exit_report.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "allocators/preload/python_methods.h"
#include "allocators/preload/taken_environment.h"
#include "allocators/preload/underlay.h"

// The oldest versions, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver clock_gettime, clock_gettime@GLIBC_2.2.5");

namespace arenalab::preload {
namespace {

constinit char report_path[4096]{};
bool reports = false;
double began_s = 0;

PythonFunction real_debugmallocstats = nullptr;
PythonFunction real_getallocatedblocks = nullptr;
long (*long_as_long)(void*) = nullptr;
void* (*long_from_long)(long) = nullptr;

double Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * 1e-6;
}

// Where the interpreter's own table stands, then what it prints behind it.
void* DebugMallocStats(void* self, void* arguments) {
  underlay.print_statistics(stderr);
  fputc('\n', stderr);
  return real_debugmallocstats(self, arguments);
}

void* GetAllocatedBlocks(void* self, void* arguments) {
  void* theirs = real_getallocatedblocks(self, arguments);
  if (theirs == nullptr) return nullptr;
  static const auto dec_ref =
      reinterpret_cast<void (*)(void*)>(dlsym(RTLD_DEFAULT, "Py_DecRef"));
  const long count = long_as_long(theirs);
  dec_ref(theirs);
  return long_from_long(count + underlay.live_blocks());
}

void Replace(const void* code, const char* name, PythonFunction with,
             PythonFunction* real) {
  PythonFunction* entry = FindPythonFunction(code, name);
  if (entry == nullptr) return;
  *real = *entry;
  *entry = with;
}

// Not what rusage says: that is inherited across exec.
long PeakResidentKib() {
  char text[4096];
  const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t bytes = read(fd, text, sizeof(text) - 1);
  close(fd);
  text[bytes < 0 ? 0 : bytes] = 0;
  const char* at = strstr(text, "VmHWM:");
  return at == nullptr ? -1 : strtol(at + 6, nullptr, 10);
}

[[gnu::destructor]] void Report() {
  if (!reports) return;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double wall_s = Now() - began_s;
  const long peak_kib = PeakResidentKib();
  FILE* out = strcmp(report_path, "1") == 0 ? stderr : fopen(report_path, "a");
  if (out == nullptr) return;
  if (underlay.print_statistics != nullptr) underlay.print_statistics(out);
  const char* scope = Taken("ARENALAB_SCOPE");
  fprintf(out,
          "arenalab exec: allocator=%s scope=%s hooks=%s pid=%d wall_s=%.3f "
          "cpu_s=%.3f peak_kib=%ld minor_faults=%ld",
          underlay.name, scope == nullptr ? "mem+obj" : scope, HookState(),
          static_cast<int>(getpid()), wall_s,
          Seconds(usage.ru_utime) + Seconds(usage.ru_stime), peak_kib,
          usage.ru_minflt);
  if (underlay.summarise != nullptr) underlay.summarise(out);
  fputc('\n', out);
  if (out != stderr) fclose(out);
}

}  // namespace

void PlanExitReport(const char* where) {
  if (where == nullptr || *where == 0 || strlen(where) >= sizeof(report_path)) {
    return;
  }
  strcpy(report_path, where);
  reports = true;
  began_s = Now();
}

void ShowInPython(const PythonApi& python) {
  if (underlay.print_statistics == nullptr) return;
  const void* code = reinterpret_cast<const void*>(python.set_allocator);
  Replace(code, "_debugmallocstats", DebugMallocStats, &real_debugmallocstats);
  long_as_long =
      reinterpret_cast<long (*)(void*)>(dlsym(RTLD_DEFAULT, "PyLong_AsLong"));
  long_from_long =
      reinterpret_cast<void* (*)(long)>(dlsym(RTLD_DEFAULT, "PyLong_FromLong"));
  Replace(code, "getallocatedblocks", GetAllocatedBlocks,
          &real_getallocatedblocks);
}

}  // namespace arenalab::preload
