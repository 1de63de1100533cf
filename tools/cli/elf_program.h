// What a program file says of itself: whether a dynamic loader starts it, and
// which. LD_PRELOAD is the loader's work, so this decides what can be recorded.
#pragma once

#include <string>
#include <vector>

namespace arenalab {

struct ElfFacts {
  bool elf = false;
  bool is_64_bit = false;
  std::string loader;  // its program interpreter; "": none, linked statically
  bool dynamic() const { return !loader.empty(); }
  bool musl() const;  // its C library is musl
};

ElfFacts ReadElf(const std::string& path);

// As execvp would find it; "" where it would not.
std::string FindProgram(const std::string& name);

// The words behind #!; empty: no script.
std::vector<std::string> Shebang(const std::string& path);

// The program behind a script for it, `#!/usr/bin/env python3` included; "":
// `path` is no script, or wants what is not there.
std::string ProgramOfScript(const std::string& path);

// The sentence for a program whose C library is musl, found behind scripts; ""
// where it is another or there is no telling. Our libraries need glibc.
std::string RefuseMusl(const std::string& program);

}  // namespace arenalab
