// What a long verb says while it works, on stderr. On a terminal one line that
// is written over, from half a second on; elsewhere (a CI log) one line a
// phase.
//
// THREADS. One.
#pragma once

#include <chrono>
#include <string>

namespace arenalab {

class Progress {
 public:
  // `verb` begins every line.
  explicit Progress(std::string verb);
  // Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Phase(const std::string& name);
  // Within a phase; a terminal's only.
  void Part(const std::string& name, int done, int total);

 private:
  void Show(const std::string& text);

  std::string verb_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace arenalab
