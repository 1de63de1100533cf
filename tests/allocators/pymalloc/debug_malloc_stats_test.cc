// The text is that of real interpreters, to the character: each one found
// prints its statistics, the numbers are read out of them, and what we print of
// these numbers must be what it printed.
#include "allocators/pymalloc/debug_malloc_stats.h"

#include <glob.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/runtime_generation.h"

namespace arenalab {
namespace {

std::vector<std::string> Interpreters() {
  std::vector<std::string> found = {"/usr/bin/python3"};
  if (const char* home = std::getenv("HOME")) {
    glob_t paths{};
    const std::string pattern =
        std::string(home) + "/.pyenv/versions/3.*/bin/python";
    if (glob(pattern.c_str(), 0, nullptr, &paths) == 0)
      for (std::size_t i = 0; i < paths.gl_pathc; ++i)
        found.push_back(paths.gl_pathv[i]);
    globfree(&paths);
  }
  return found;
}

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, n);
  return pclose(pipe) == 0 ? output : "";
}

// The part that is pymalloc's: up to the blank line before the type lists.
std::string PymallocPart(const std::string& text) {
  std::size_t end = text.rfind("\nTotal  ");
  if (end == std::string::npos) return "";
  return text.substr(0, text.find('\n', end + 1) + 1);
}

// The number behind `label ... =`, without its commas.
std::uint64_t NumberBehind(const std::string& text, const std::string& label) {
  std::size_t at = text.find(label);
  EXPECT_NE(at, std::string::npos) << label;
  if (at == std::string::npos) return 0;
  at = text.find('=', at) + 1;
  std::string digits;
  for (; text[at] != '\n'; ++at)
    if (text[at] >= '0' && text[at] <= '9') digits += text[at];
  return std::stoull(digits);
}

Statistics Parse(const std::string& text) {
  Statistics s;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    std::size_t c, size;
    ClassStatistics row;
    if (numbers >> c >> size >> row.pools >> row.used_blocks >>
        row.available_blocks)
      s.classes[c] = row;
  }
  s.arenas_created = NumberBehind(text, "# arenas allocated total");
  s.arenas_released = NumberBehind(text, "# arenas reclaimed");
  s.arenas_high_water = NumberBehind(text, "# arenas highwater mark");
  s.arenas_live = NumberBehind(text, "# arenas allocated current");
  s.allocated_bytes = NumberBehind(text, "# bytes in allocated blocks");
  s.available_bytes = NumberBehind(text, "# bytes in available blocks");
  s.unused_pools = std::stoull(
      text.substr(text.rfind('\n', text.find(" unused pools")) + 1));
  s.pool_header_bytes = NumberBehind(text, "# bytes lost to pool headers");
  s.quantization_bytes = NumberBehind(text, "# bytes lost to quantization");
  s.alignment_bytes = NumberBehind(text, "# bytes lost to arena alignment");
  if (text.find("arena map counts") != std::string::npos) {
    s.map_mid_nodes = NumberBehind(text, "# arena map mid nodes");
    s.map_bottom_nodes = NumberBehind(text, "# arena map bot nodes");
    s.map_root_bytes = NumberBehind(text, "# bytes lost to arena map root");
    s.map_mid_bytes = NumberBehind(text, "# bytes lost to arena map mid");
    s.map_bottom_bytes = NumberBehind(text, "# bytes lost to arena map bot");
  }
  return s;
}

TEST(DebugMallocStats, IsTheTextThatInterpretersPrint) {
  int compared = 0;
  for (const std::string& python : Interpreters()) {
    const std::string version =
        OutputOf(python +
                 " -I -c 'import sys; print(\"cpython-%d.%d.%d\" % "
                 "sys.version_info[:3], end=\"\")' 2>/dev/null");
    // Arenas come and go, so that every counter has a value of its own.
    const std::string text = PymallocPart(
        OutputOf(python +
                 " -I -c 'import sys; a = [str(i) for i in range(300000)]; "
                 "del a[::2]; del a[50000:]; sys._debugmallocstats()' 2>&1"));
    // pyenv's 3.6.15 has the sizes of 3.7.4 (generation.h).
    const std::string name =
        text.find("in 32 size classes") != std::string::npos &&
                version.starts_with("cpython-3.6")
            ? "cpython-3.7.4"
            : version;
    HeapSettings settings{};
    if (text.empty() ||
        ReadHeapSettings("geometry:" + name, &settings) != nullptr) {
      std::printf("not compared: %s (%s)\n", python.c_str(), version.c_str());
      continue;
    }
    const Statistics s = Parse(text);
    EXPECT_GT(s.arenas_live, 1u);
    EXPECT_EQ(FormatDebugMallocStats(s, settings.geometry, settings.policy),
              text)
        << python;
    std::printf("compared: %s (%s)\n", python.c_str(), version.c_str());
    ++compared;
  }
  if (compared == 0) GTEST_SKIP() << "no CPython that prints its statistics";
}

// The numbers behind the text: a heap and an interpreter agree on what a class,
// a pool and a tail is.
TEST(DebugMallocStats, OfAHeapSumsToItsArenas) {
  Heap<Cpython311> heap{HeapOptions{}};
  for (int i = 0; i < 1000; ++i) heap.Allocate(1 + i % 512);
  const std::string text = FormatDebugMallocStats(
      heap.ComputeStatistics(), heap.geometry(), heap.policy());
  const std::size_t arenas = text.find("1 arenas * 1048576 bytes/arena");
  ASSERT_NE(arenas, std::string::npos) << text;
  EXPECT_EQ(NumberBehind(text.substr(arenas), "Total"), 1048576u) << text;
}

TEST(DebugMallocStats, ReleasesBeforeArenasWereReleasedCountNone) {
  Heap<Cpython23> heap{HeapOptions{}};
  heap.Allocate(8);
  const std::string text = FormatDebugMallocStats(
      heap.ComputeStatistics(), heap.geometry(), heap.policy());
  EXPECT_EQ(text.find("# arenas"), std::string::npos) << text;
  EXPECT_NE(text.find("\n    0      8           1               1           505"
                      "\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("arena map"), std::string::npos);
}

}  // namespace
}  // namespace arenalab
