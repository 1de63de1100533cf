// The rename is what makes a file whole; without --force it must not replace
// one that came into being in the meantime.
#include "tools/output/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

[[noreturn]] void FailExists(const std::string& path) {
  throw InputError(path + ": exists; -f overwrites it");
}

}  // namespace

OutputFile::OutputFile(const std::string& path, bool force)
    : path_(path), temporary_(path), force_(force), direct_(path == "-") {
  if (direct_) return;
  struct stat status;
  if (stat(path_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      throw InputError(path_ + ": is a directory; name a file in it");
    }
    if (!S_ISREG(status.st_mode)) {
      direct_ = true;
      return;
    }
    if (!force) FailExists(path_);
    char* const real = realpath(path_.c_str(), nullptr);
    if (real != nullptr) path_ = real;
    std::free(real);
  }
  // A folder that cannot be made is told by whoever opens the file.
  if (const auto folder = std::filesystem::path(path_).parent_path();
      !folder.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
  }
  temporary_ = path_ + ".part" + std::to_string(getpid());
}

OutputFile::~OutputFile() {
  if (!direct_) unlink(temporary_.c_str());
}

void OutputFile::Commit() {
  if (direct_) return;
  int failed = renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(),
                         force_ ? 0 : RENAME_NOREPLACE);
  // File systems that cannot do it in one step.
  if (failed != 0 && errno == EINVAL && !force_) {
    if (access(path_.c_str(), F_OK) == 0) FailExists(path_);
    failed = std::rename(temporary_.c_str(), path_.c_str());
  }
  if (failed != 0 && errno == EEXIST) FailExists(path_);
  if (failed != 0) {
    throw InputError(path_ + ": cannot be made: " + std::strerror(errno));
  }
  direct_ = true;
}

void WriteWholeFile(const std::string& path, bool force,
                    std::string_view text) {
  OutputFile output(path, force);
  std::FILE* const file =
      path == "-" ? stdout : std::fopen(output.path().c_str(), "wb");
  if (file == nullptr) {
    throw InputError(path + ": cannot write: " + std::strerror(errno));
  }
  const bool written =
      std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool flushed = (file == stdout ? std::fflush : std::fclose)(file) == 0;
  if (!written || !flushed) {
    throw InputError(path + ": cannot write: " + std::strerror(errno));
  }
  output.Commit();
}

}  // namespace arenalab
