// What the workers with threads have that does not depend on the heap.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "tools/threads/resident_peak.h"
#include "tools/threads/thread_waiting.h"

namespace arenalab {
namespace {

// A field of /proc/self/status, which has the form of smaps.
std::int64_t StatusField(const char* name) {
  const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  char text[8192];
  const ssize_t length = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (length <= 0) return -1;
  text[length] = '\0';
  // Tabs stand there where smaps has spaces.
  for (char* p = text; *p != '\0'; ++p) {
    if (*p == '\t') *p = ' ';
  }
  return FieldOfSmaps(text, name);
}

}  // namespace

ResidentPeak StartResidentPeak() {
  ResidentPeak start{.anonymous_bytes = ReadResident().anonymous_bytes};
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return start;
  const bool set = write(fd, "5", 1) == 1;
  close(fd);
  if (set) start.resident_bytes = StatusField("VmRSS:");
  return start;
}

std::int64_t PeakGrowth(const ResidentPeak& start) {
  if (start.resident_bytes < 0) return -1;
  const std::int64_t peak = StatusField("VmHWM:");
  return peak < 0 ? -1 : peak - start.resident_bytes;
}

void FailStuck(ThreadReport* report) {
  static constexpr char kError[] =
      "a thread waited two minutes for another that did not come";
  std::memcpy(report->error, kError, sizeof(kError));
  _exit(1);
}

}  // namespace arenalab
