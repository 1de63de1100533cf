// A file that a verb writes: under a name of its own until it is whole, so that
// no half-written file is taken for one.
//
//   OutputFile out(path, force);      // throws InputError: exists, and no
//   force
//   ... write to out.path() ...
//   out.Commit();                     // now it has its name
//
// "-", standard output, stays "-". What exists and is no regular file (a pipe,
// a terminal, /dev/null) is written to directly. A symbolic link is followed. A
// file that Commit() was not called for is removed.
#pragma once

#include <string>
#include <string_view>

namespace arenalab {

class OutputFile {
 public:
  OutputFile(const std::string& path, bool force);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Where to write now.
  const std::string& path() const { return temporary_; }
  void Commit();

 private:
  std::string path_;
  std::string temporary_;
  bool force_;
  bool direct_ = false;  // there is nothing to rename or remove
};

// A whole file in one go; "-" is standard output. Throws InputError, also where
// not all of it could be written.
void WriteWholeFile(const std::string& path, bool force, std::string_view text);

}  // namespace arenalab
