// Traces for the tests of replay, written by hand in the text form and read
// through the real importer and reader.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "tools/replay/compile.h"
#include "tools/replay/moments.h"
#include "tracer/format/text.h"
#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// A file name of the running test's own.
inline std::string ScratchPath(const std::string& suffix) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name =
      std::string(test->test_suite_name()) + "." + test->name() + suffix;
  // Parameterised tests have slashes in their names.
  std::replace(name.begin(), name.end(), '/', '.');
  return testing::TempDir() + "/" + name;
}

// The path of a .trace that holds `text`.
inline std::string TraceOf(const std::string& text,
                           const std::string& suffix = ".trace") {
  const std::string path = ScratchPath(suffix);
  TraceWriter writer(path, /*exclusive=*/false);
  std::istringstream in(text);
  ImportText(in, "test", writer);
  return path;
}

inline CompiledTrace Compiled(const std::string& text,
                              Scope scope = Scope::kPython) {
  TraceReader reader(TraceOf(text));
  return Compile(reader, scope);
}

}  // namespace arenalab
