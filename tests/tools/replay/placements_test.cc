// Placements against addresses that the real allocator gave: the golden
// streams' hashes, and a handful of offsets line by line.
#include "tools/replay/placements.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/model.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

struct Placed {
  std::string path;
  ModelRun run;
};

Placed Place(const std::string& trace_path, const std::string& generation,
             std::vector<std::size_t> offsets = {}) {
  TraceReader reader(trace_path);
  const CompiledTrace trace = Compile(reader, Scope::kPython);
  const Samples samples = ChooseSamples(trace, 512, 10);
  Placed placed{ScratchPath(".placements"), {}};
  PlacementsFile file(placed.path);
  ModelOptions options;
  options.arena_offsets = std::move(offsets);
  options.placements = &file;
  placed.run = RunModel("geometry:" + generation, trace, samples, options);
  file.Close();
  return placed;
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// FNV-1a over 64-bit little-endian words.
class GoldenLog {
 public:
  void Word(std::uint64_t word) {
    for (int i = 0; i < 8; ++i, word >>= 8) {
      hash_ = (hash_ ^ (word & 0xff)) * 1099511628211u;
    }
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 1469598103934665603u;
};

std::uint64_t HashOf(const Placed& placed) {
  GoldenLog log;
  std::ifstream file(placed.path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first == "arena+") {
      log.Word(0xA0000000 + std::stoull(second));
    } else if (first == "arena-") {
      log.Word(0xF0000000 + std::stoull(second));
    } else if (second == "raw") {
      log.Word(0xFFFFFFFF);
    } else {
      std::uint64_t offset = 0;
      words >> offset;
      log.Word(std::stoull(second));
      log.Word(offset);
    }
  }
  log.Word(placed.run.arenas_created);
  log.Word(placed.run.samples.back().arenas_live);
  return log.hash();
}

// Before 3.10 the interpreter's own pool size is the page: no base is shifted.
struct Golden {
  const char* generation;
  int stream;
  bool shifted;  // P1: arena k begins 4096 * ((5k + 1) mod 4) into a pool
  std::uint64_t hash;
};

void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.generation << " stream " << golden.stream
       << (golden.shifted ? " shifted" : "");
}

class GoldenPlacements : public testing::TestWithParam<Golden> {};

TEST_P(GoldenPlacements, AreTheRealAllocators) {
  const Golden& golden = GetParam();
  const std::string path = testing::TempDir() + "/golden." +
                           std::to_string(golden.stream) + golden.generation +
                           (golden.shifted ? ".1" : ".0");
  WriteGoldenTrace(path, golden.stream == 1 ? GoldenStream1 : GoldenStream2);
  std::vector<std::size_t> offsets;
  if (golden.shifted) offsets = {4096, 8192, 12288, 0};
  EXPECT_EQ(HashOf(Place(path, golden.generation, offsets)), golden.hash);
}

INSTANTIATE_TEST_SUITE_P(
    Streams, GoldenPlacements,
    testing::Values(Golden{"cpython-2.3", 1, false, 0x55dae8cbe92d2a79},
                    Golden{"cpython-2.5", 2, false, 0x7b0a85ad82228138},
                    Golden{"classic", 1, false, 0x8bad5274be6a092f},
                    Golden{"cpython-3.8", 1, false, 0x317ed0d4ad91eef4},
                    Golden{"cpython-3.8", 2, false, 0xefce1d98e75f20b1},
                    Golden{"cpython-3.9", 2, false, 0x40ed282501bf4134},
                    Golden{"cpython-3.11", 1, false, 0x72832301054e7f5f},
                    Golden{"cpython-3.11", 1, true, 0xfeed4dfdb27a6d50},
                    Golden{"cpython-3.11", 2, false, 0x5961f58115bd69aa},
                    Golden{"cpython-3.11", 2, true, 0x6352298585ffccfb}));

TEST(Placements, LinesNameEventArenaAndOffset) {
  // Offsets that CPython 3.8 gives: the pool's first blocks, last freed first
  // reused, and the block that was linked ahead of need.
  const std::string path = TraceOf(
      "malloc 1 100\nmalloc 2 100\nmalloc 8 9 domain=raw\nmalloc 3 100\n"
      "malloc 4 100\nfree 2\nfree 1\nmalloc 1 100\nmalloc 2 100\n"
      "malloc 5 100\nrealloc 5 600\nmalloc 6 0\nrealloc 1 90\n");
  EXPECT_EQ(TextOf(Place(path, "cpython-3.8").path),
            "arena+ 0\n0 0 48\n1 0 160\n3 0 272\n4 0 384\n7 0 48\n8 0 160\n"
            "9 0 496\n10 raw\n11 raw\n12 0 48\n");
}

TEST(Placements, ArenasComeBeforeTheirRequestAndGoWithTheirLastBlock) {
  const std::string path =
      TraceOf("malloc 1 100\nfree 1\nmalloc 2 8\nrealloc 2 600\n");
  EXPECT_EQ(TextOf(Place(path, "cpython-3.8").path),
            "arena+ 0\n0 0 48\narena- 0\narena+ 1\n2 1 48\narena- 1\n3 raw\n");
  // 3.9 and later keep one wholly free arena; what is held at the end is no
  // release.
  EXPECT_EQ(TextOf(Place(path, "cpython-3.11").path),
            "arena+ 0\n0 0 48\n2 0 48\n3 raw\n");
}

TEST(Placements, AFileThatCannotBeWrittenIsToldAtOnce) {
  EXPECT_THROW(PlacementsFile("/dev/null/folder/file"), InputError);
}

TEST(Placements, NothingHalfWrittenKeepsTheName) {
  const std::string path = ScratchPath(".half");
  {
    PlacementsFile file(path);
    file.Raw(1);
  }
  EXPECT_FALSE(std::ifstream(path).good());
}

}  // namespace
}  // namespace arenalab
