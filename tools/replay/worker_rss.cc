// Resident memory of this process; contract in worker_rss.h.
#include "tools/replay/worker_rss.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace arenalab {

std::int64_t FieldOfSmaps(const char* text, const char* name) {
  const std::size_t length = std::strlen(name);
  for (const char* line = text; line != nullptr && *line != '\0';) {
    if (std::strncmp(line, name, length) == 0) {
      const char* digit = line + length;
      while (*digit == ' ' || *digit == '\t') ++digit;
      std::int64_t kibibytes = 0;
      for (; *digit >= '0' && *digit <= '9'; ++digit) {
        kibibytes = kibibytes * 10 + (*digit - '0');
      }
      return kibibytes * 1024;
    }
    line = std::strchr(line, '\n');
    if (line != nullptr) ++line;
  }
  return -1;
}

namespace {

// What fits of the file; "" where it cannot be read.
template <std::size_t kBytes>
void ReadText(const char* path, char (&text)[kBytes]) {
  text[0] = '\0';
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::size_t length = 0;
  while (length < kBytes - 1) {
    const ssize_t got = read(fd, text + length, kBytes - 1 - length);
    if (got <= 0) break;
    length += static_cast<std::size_t>(got);
  }
  close(fd);
  text[length] = '\0';
}

}  // namespace

std::int64_t ReadMapped() {
  char text[4096];
  ReadText("/proc/self/status", text);
  return FieldOfSmaps(text, "VmData:");
}

Resident ReadResident() {
  char text[2048];
  ReadText("/proc/self/smaps_rollup", text);
  return {.rss_bytes = FieldOfSmaps(text, "Rss:"),
          .anonymous_bytes = FieldOfSmaps(text, "Anonymous:")};
}

}  // namespace arenalab
