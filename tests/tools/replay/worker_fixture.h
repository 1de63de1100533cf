// What the tests of the workers share: the libraries to preload, a program with
// every kind of request, and the message of an error.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/tools/replay/op_program.h"
#include "tools/replay/measure.h"
#include "tracer/format/input_error.h"

namespace arenalab {

inline constexpr std::int64_t kMiB = 1 << 20;

// Path of worker_test_malloc.cc as built in one of its kinds.
inline std::string Library(const std::string& kind) {
  return std::string(std::getenv("TEST_SRCDIR")) +
         "/arenalab/tests/tools/replay/worker_" + kind + "_malloc.so";
}

inline AllocatorSpec Spec(const std::string& text) {
  return ParseAllocatorSpec(text);
}

// The message of the InputError that `action` throws, or "" if it throws none.
template <typename Action>
std::string ErrorOf(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Every kind of request, sizes on both sides of every limit, slots used again.
inline void AddMixedRequests(OpProgram* program) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    const std::uint64_t size = (i * i * 37) % 3000;
    program->Alloc(0, size).Add(OpCode::kZeroed, 1, size);
    program->Add(OpCode::kRealloc, 0, size * 2 + 5);
    program->Aligned(2 + i % 4, 4 + i % 9, size);
    program->Free(1).Free(0);
    if (i + 4 < 100) program->Free(2 + i % 4);
  }
  program->Alloc(6, 0).Add(OpCode::kRealloc, 7, 100);
}
inline constexpr std::uint64_t kMixedRequests = 100 * 6 + 96 + 2;

}  // namespace arenalab
