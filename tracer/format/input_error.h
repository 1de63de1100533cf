// The exception for input that cannot be used: a trace, a results file, a text
// dump. The message is one line that says what is wrong, where (path, and byte
// offset or line) and what to do; the one main() turns it into exit status 3.
#pragma once

#include <stdexcept>
#include <string>

namespace arenalab {

class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace arenalab
