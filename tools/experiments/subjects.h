// What experiments are run on: real interpreters of this machine, each with the
// clone of its generation.
//
// Errors: InputError for an interpreter that was named and cannot be driven;
// one that was merely found and cannot is left out.
#pragma once

#include <string>
#include <vector>

#include "tools/experiments/experiment.h"
#include "tools/replay/allocator_spec.h"

namespace arenalab {

struct Subject {
  std::string label;     // "3.11.7"
  std::string path;      // of the interpreter
  std::string version;   // as it tells it, 63 characters at most
  std::string geometry;  // canonical: the clone's
  AllocatorSpec native;
  AllocatorSpec clone;
};

// request.pythons, or the interpreters of PATH, /usr/bin and pyenv; by version.
std::vector<Subject> Subjects(const ExperimentRequest& request);

// The clone with these settings: "geometry:cpython-3.9,keep_arenas:0".
AllocatorSpec CloneOf(const std::string& settings);

// "12,345.7" with `decimals` of them, right-aligned in `width`.
std::string Figure(double value, int decimals, int width);
// Left-aligned, at least one space behind it.
std::string Cell(const std::string& text, std::size_t width);

}  // namespace arenalab
