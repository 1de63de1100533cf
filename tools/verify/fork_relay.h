// Lets a computation go on twice from where it is, as the program did that it
// follows: a fork, whose child hands what it found back through a pipe.
//
//   if (relay.Split()) {           // true in the child only
//     ...                          // another future
//     relay.Tell(file, text);
//     relay.End();
//   }                              // the parent has waited, and heard it all
//
// THREADS. One, or a fork would lose the others. ERRORS. std::system_error
// where there is no process or pipe to be had; a child that dies has told
// nothing.
#pragma once

#include <map>
#include <string>

namespace arenalab {

class ForkRelay {
 public:
  bool Split();
  // Hands over a text about `file`, from this process or one split from it.
  void Tell(const std::string& file, const std::string& text);
  // Of the child: everything told goes to the parent.
  [[noreturn]] void End();

  // By file.
  const std::map<std::string, std::string>& told() const { return told_; }

 private:
  void Hear(int pipe);

  std::map<std::string, std::string> told_;
  int to_parent_ = -1;
};

}  // namespace arenalab
