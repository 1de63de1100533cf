// Lines by fprintf: the format is for reading.
#include "tools/replay/placements.h"

#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <utility>

#include "tracer/format/input_error.h"

namespace arenalab {

PlacementsFile::PlacementsFile(std::string path)
    : path_(std::move(path)),
      temporary_(path_ + ".partial." + std::to_string(getpid())),
      file_(std::fopen(temporary_.c_str(), "w")) {
  if (file_ == nullptr) {
    throw InputError(path_ + ": cannot write: " + std::strerror(errno));
  }
}

PlacementsFile::~PlacementsFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(temporary_.c_str());
}

void PlacementsFile::Block(std::uint64_t event, std::uint64_t arena,
                           std::uint64_t offset) {
  std::fprintf(file_, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", event, arena,
               offset);
}

void PlacementsFile::Raw(std::uint64_t event) {
  std::fprintf(file_, "%" PRIu64 " raw\n", event);
}

void PlacementsFile::ArenaAcquired(std::uint64_t arena) {
  std::fprintf(file_, "arena+ %" PRIu64 "\n", arena);
}

void PlacementsFile::ArenaReleased(std::uint64_t arena) {
  std::fprintf(file_, "arena- %" PRIu64 "\n", arena);
}

void PlacementsFile::Close() {
  const bool failed = std::ferror(file_) != 0;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (failed || !closed ||
      std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary_.c_str());
    throw InputError(path_ + ": cannot write: " + reason);
  }
}

}  // namespace arenalab
