// arenalab.toml: what `arenalab ci` gates, and how strictly. README.md has it
// whole, with an example.
//
// ERRORS. InputError with file, line and what is wrong; an unknown key is one.
#pragma once

#include <string>
#include <vector>

namespace arenalab {

// A trace to replay. With `base` and `now` it is two allocators in one session;
// else the baseline's replay of the same trace.
struct CiTrace {
  std::string name;
  std::string path;
  std::string base{};
  std::string now{};
};

// A command to record, several times.
struct CiProgram {
  std::string name;
  std::vector<std::string> command;
  int recordings = 3;
};

struct CiConfig {
  std::string file;
  std::string folder = "arenalab-ci";  // what is made, afresh each time
  std::string baseline = ".arenalab/baseline.json";
  std::string allocators = "pymalloc";
  std::string scope = "python";
  std::vector<std::string> budgets{};  // "METRIC=+1%"
  double range_percent = 10;
  double time_threshold_percent = 5;
  int rounds = 0;
  int samples = 200;
  bool fail_on_inconclusive = false;
  std::vector<CiTrace> traces{};
  std::vector<CiProgram> programs{};
};

CiConfig ReadCiConfig(const std::string& path);

}  // namespace arenalab
