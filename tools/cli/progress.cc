// Contract in progress.h.
#include "tools/cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace arenalab {
namespace {

// One that can go back on a line.
bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr &&
         std::string_view(term) != "dumb";
}

}  // namespace

Progress::Progress(std::string verb)
    : verb_(std::move(verb)),
      terminal_(IsTerminal()),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::Phase(const std::string& name) {
  if (terminal_) {
    Show(name);
  } else {
    std::fprintf(stderr, "%s: %s\n", verb_.c_str(), name.c_str());
  }
}

void Progress::Part(const std::string& name, int done, int total) {
  if (!terminal_) return;
  Show(name + " " + std::to_string(done) + "/" + std::to_string(total));
}

void Progress::Show(const std::string& text) {
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  if (elapsed < std::chrono::milliseconds(500)) return;
  std::fprintf(stderr, "\r\033[K%s: %s", verb_.c_str(), text.c_str());
  shown_ = true;
}

}  // namespace arenalab
