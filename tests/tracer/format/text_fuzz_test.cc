// Runs the text fuzz target over its seeds and thousands of changes of them.
// The target aborts where it finds something; ASan and UBSan find the rest.
#include <gtest/gtest.h>

#include <string>

#include "tests/tracer/format/mutation.h"
#include "tests/tracer/format/seed_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t bytes);

namespace arenalab {
namespace {

void FuzzOne(const std::string& bytes) {
  // A copy of exactly that size: ASan sees reads past its end.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

TEST(TextFuzzTest, SeedsAndTheirMutations) {
  const std::vector<std::string> seeds = {kSeedText, kSeedTextWithoutAddresses,
                                          ""};
  for (const std::string& seed : seeds) FuzzOne(seed);
  Mutator mutator(seeds, 1);
  for (int i = 0; i < 6000; ++i) FuzzOne(mutator.Next());
}

}  // namespace
}  // namespace arenalab
