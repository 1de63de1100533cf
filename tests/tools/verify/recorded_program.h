// Real recordings for tests: the interpreters of this machine, and `arenalab
// record` on one of them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace arenalab {

// python3 as PATH has it, if it is a program and no shell shim, Debian's own,
// and every interpreter that pyenv has installed. By real path, each once.
inline std::vector<std::string> Interpreters() {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::set<fs::path> seen;
  std::error_code error;
  const auto add = [&](const fs::path& path) {
    const fs::path real = fs::canonical(path, error);
    if (!error && seen.insert(real).second) found.push_back(real);
  };
  add("/usr/bin/python3");
  const char* home = std::getenv("HOME");
  if (home == nullptr) return found;
  std::set<fs::path> sorted;
  for (const auto& version :
       fs::directory_iterator(fs::path(home) / ".pyenv/versions", error)) {
    // What the tool records begins with 3.6.
    if (version.path().filename().string().starts_with("2.")) continue;
    sorted.insert(version.path() / "bin/python");
  }
  for (const fs::path& path : sorted) add(path);
  return found;
}

inline std::string Quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "'";
}

// Runs `command` (a shell's words) under `arenalab record` into `trace`; the
// exit status.
inline int Record(const std::string& trace, const std::string& command) {
  const std::string line = "tools/cli/arenalab record -f -o " + Quoted(trace) +
                           " -- " + command + " >" + Quoted(trace + ".log") +
                           " 2>&1";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace arenalab
