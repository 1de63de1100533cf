// What tests of the native allocator share: the interpreters of this machine by
// generation, and one run with its log of placements.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "allocators/native/placement_log.h"
#include "tests/tools/verify/recorded_program.h"
#include "tools/replay/measure.h"
#include "tools/replay/native_spec.h"

namespace arenalab {

// The folder above bin/ (`3.11.7`, `usr`), as a test's name may be written.
inline std::string LabelOf(const std::string& interpreter) {
  std::string label;
  for (const char c : std::filesystem::path(interpreter)
                          .parent_path()
                          .parent_path()
                          .filename()
                          .string()) {
    label.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return label;
}

struct NativeRun {
  std::vector<std::uint64_t> log;  // placement_log.h
  ReplaySample end{};              // after the last request
  CheckRun check;
};

// Runs `program`, whose one sample is at its end, filling and checking every
// block. `offsets` as for ModelOptions::arena_offsets.
inline NativeRun RunNative(AllocatorSpec spec, const OpsProgram& program,
                           const std::vector<std::size_t>& offsets) {
  NativeRun run;
  PlaceNativeArenas(offsets, &spec);
  run.end =
      MeasureMemory(spec, program, {.touch = Touch::kFill}).samples.back();
  const std::string path = std::filesystem::path(testing::TempDir()) /
                           (std::to_string(getpid()) + ".placements");
  spec.environment.push_back(std::string(kPlacementLogVariable) + "=" + path);
  run.check = CheckReplay(spec, program, {});
  std::ifstream file(path, std::ios::binary);
  for (std::uint64_t word;
       file.read(reinterpret_cast<char*>(&word), sizeof(word));) {
    run.log.push_back(word);
  }
  std::filesystem::remove(path);
  return run;
}

}  // namespace arenalab
