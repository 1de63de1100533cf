// Shows that the verifier can fail: verifies the trace as it is, then with one
// wrong address, with one free left out, and on the wrong generation. Each of
// the three must be reported as a mismatch, the first two exactly at the
// request they make wrong.
//
// The requests are chosen from the middle of the trace by a rule that knows the
// recording only, not the verifier: the free left out is that of a block whose
// address the recording hands out again later, which a clone that has not seen
// the free cannot do.
//
// THREADS. One. ERRORS. As Verify().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/verify/verify.h"

namespace arenalab {

struct SelfTestCase {
  std::string name;  // what was made wrong, in words
  // The first request that must be reported; kAnyRequest: any.
  std::uint64_t at = 0;
  VerifyReport report;
  bool caught = false;
};
inline constexpr std::uint64_t kAnyRequest = ~std::uint64_t{0};

struct SelfTestReport {
  VerifyReport untouched;
  std::vector<SelfTestCase> cases;
  // Why cases are missing; "" = none are.
  std::string skipped;
  // The untouched trace is equal and every case was caught; needs all three.
  bool passed = false;
};

SelfTestReport SelfTest(const std::string& path, const VerifyOptions& options);

std::string SelfTestText(const SelfTestReport& report);
// Schema `arenalab.verify-self-test/1`.
std::string SelfTestJson(const SelfTestReport& report);

}  // namespace arenalab
