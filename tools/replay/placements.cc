// Lines by fprintf: the format is for reading.
#include "tools/replay/placements.h"

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <utility>

#include "tracer/format/input_error.h"

namespace arenalab {

PlacementsFile::PlacementsFile(const std::string& path)
    : path_(path),
      output_(path, /*force=*/true),
      file_(std::fopen(output_.path().c_str(), "w")) {
  if (file_ == nullptr) {
    throw InputError(path_ + ": cannot write: " + std::strerror(errno));
  }
}

PlacementsFile::~PlacementsFile() {
  if (file_ != nullptr) std::fclose(file_);
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
  if (failed || !closed) {
    throw InputError(path_ + ": cannot write: " + std::strerror(errno));
  }
  output_.Commit();
}

}  // namespace arenalab
