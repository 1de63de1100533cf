// The one worker with threads from which allocator_worker() makes a program per
// allocator: maps what the launcher left (thread_protocol.h), makes the heap,
// runs, writes the report.
//
// The build defines, per allocator, as for tools/replay/worker_main.cc,
//   ARENALAB_HEAP_HEADER  the header of its heap
//   ARENALAB_VISIT_HEAP   what picks the heap type (allocators/one_heap.h)
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "allocators/one_heap.h"
#include "tools/replay/worker_clock.h"
#include "tools/threads/thread_run.h"
#include ARENALAB_HEAP_HEADER

namespace arenalab {
namespace {

// The whole of a descriptor's file; nullptr where it is shorter than `least`.
void* MapFile(int fd, std::size_t least, bool writable) {
  struct stat status {};
  if (fstat(fd, &status) != 0 ||
      static_cast<std::size_t>(status.st_size) < least) {
    return nullptr;
  }
  void* base = mmap(nullptr, static_cast<std::size_t>(status.st_size),
                    writable ? PROT_READ | PROT_WRITE : PROT_READ,
                    MAP_SHARED | MAP_POPULATE, fd, 0);
  return base == MAP_FAILED ? nullptr : base;
}

bool MapFiles(ThreadFiles* files) {
  files->program = static_cast<const ThreadProgram*>(
      MapFile(kThreadProgramFd, sizeof(ThreadProgram), false));
  files->report = static_cast<ThreadReport*>(
      MapFile(kThreadReportFd, sizeof(ThreadReport), true));
  if (files->program == nullptr || files->report == nullptr ||
      files->program->magic != kThreadMagic ||
      files->report->in.magic != kThreadMagic ||
      files->threads() > kMostThreads) {
    return false;
  }
  files->streams = reinterpret_cast<const ThreadStream*>(files->program + 1);
  files->ops = reinterpret_cast<const ThreadOp*>(files->streams +
                                                 files->program->streams);
  files->stream_reports = reinterpret_cast<StreamReport*>(files->report + 1);
  files->moments =
      reinterpret_cast<MomentSample*>(files->stream_reports + files->threads());
  return true;
}

template <typename Heap>
bool MakeAndRun(const ThreadFiles& files) {
  ThreadReport* report = files.report;
  if constexpr (requires { Heap::CheckSettings(report->in.settings); }) {
    const char* error = Heap::CheckSettings(report->in.settings);
    if (error != nullptr) {
      CopyWords(report->error, sizeof(report->error), error);
      return false;
    }
  }
  if constexpr (requires { Heap::Version(); }) {
    CopyWords(report->version, sizeof(report->version), Heap::Version());
  }
  alignas(ThreadRun<Heap>) static std::byte room[sizeof(ThreadRun<Heap>)];
  return (new (room) ThreadRun<Heap>(files))->Run();
}

int Main() {
  ThreadFiles files;
  if (!MapFiles(&files)) {
    static constexpr char kUsage[] =
        "a worker with threads: started by `arenalab threads`, not by hand\n";
    return write(STDERR_FILENO, kUsage, sizeof(kUsage) - 1) < 0 ? 3 : 2;
  }
  StartClock();  // the C library's: the worker's own is for replays
  bool done = false;
  const bool known = ARENALAB_VISIT_HEAP(
      files.report->in.settings,
      [&]<typename Heap>() { done = MakeAndRun<Heap>(files); });
  if (!known) {
    CopyWords(files.report->error, sizeof(files.report->error),
              "it has no such settings");
  }
  return done && known ? 0 : 1;
}

}  // namespace
}  // namespace arenalab

int main() { _exit(arenalab::Main()); }
