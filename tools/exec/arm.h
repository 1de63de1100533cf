// One way to run a Python program: the variables that choose its allocator, and
// the line that a reader can copy.
//
// What `exec --allocator` names:
//
//   native                        as it is, nothing of ours
//   pymalloc, pymalloc{...}       the clone; a generation or settings
//   mimalloc{decommit_delay:0}    with the library's own options
//   jemalloc, system, pass-through
//   ./libother.so                 any malloc library
//
// SCOPE. mem+obj: Python's objects and buffers; raw: also its raw domain;
// process: every malloc of the process.
//
// Errors: InputError, one line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace arenalab {

enum class Scope { kMemAndObject, kRaw, kProcess };

struct Variable {
  std::string name;
  std::string value;
};

struct Arm {
  std::string name;                 // in tables
  std::vector<Variable> variables;  // on top of the environment
  std::string advice;  // what to copy, where it is not these variables
};

// "mem+obj", "raw" or "process".
Scope ParseScope(std::string_view text);

// Throws for a name that is unknown, a library that is not there, and a pair
// that cannot be served (pymalloc beyond mem and obj).
Arm AllocatorArm(std::string_view spelled, Scope scope);

// Entries separated by commas outside braces.
std::vector<std::string> SplitAllocators(std::string_view list);

// The path of one of allocators/preload's libraries, by its allocator's name.
std::string PreloadLibrary(const std::string& name);

// `NAME=value NAME=value python3 app.py`, quoted for a shell where need be; or
// the advice.
std::string LineOf(const Arm& arm, const std::vector<std::string>& command);

}  // namespace arenalab
