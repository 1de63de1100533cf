// How a Python program under RunFamily() tells of its garbage collections: a
// sitecustomize module of ours, first in PYTHONPATH, adds a callback to
// gc.callbacks. In a forked child it sends its own thread one signal before and
// another after each collection of generation 1 or older; both are ignored by
// default, and RunFamily() keeps them from being delivered.
//
// It then imports the sitecustomize that it stands before. Interpreters that
// are started with -S, -E or -I do not see it.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

namespace arenalab {

inline constexpr int kCollectionBegins = SIGURG;
inline constexpr int kCollectionEnds = SIGWINCH;

class GcHook {
 public:
  // `freeze`: gc.freeze() is called before each fork (3.7 and later).
  explicit GcHook(bool freeze);
  ~GcHook();
  GcHook(const GcHook&) = delete;
  GcHook& operator=(const GcHook&) = delete;

  // "NAME=value", to be set for the program.
  const std::vector<std::string>& variables() const { return variables_; }

 private:
  std::string folder_;
  std::vector<std::string> variables_;
};

}  // namespace arenalab
