// Text in, text out, for tests of the text form.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/tracer/format/trace_fixture.h"
#include "tracer/format/text.h"

namespace arenalab {

inline std::string Dumped(const std::string& path) {
  TraceReader reader(path);
  char* text = nullptr;
  std::size_t bytes = 0;
  std::FILE* const out = open_memstream(&text, &bytes);
  DumpText(reader, out);
  std::fclose(out);
  std::string result(text, bytes);
  std::free(text);
  return result;
}

inline void Import(const std::string& text, const std::string& path) {
  TraceWriter writer(path, /*exclusive=*/false);
  std::istringstream in(text);
  ImportText(in, "input.txt", writer);
}

inline std::string Reimported(const std::string& text) {
  const ScratchFile file;
  Import(text, file.path());
  return Dumped(file.path());
}

// The message with which the text is rejected, or "".
inline std::string Rejected(const std::string& text) {
  const ScratchFile file;
  try {
    Import(text, file.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace arenalab
