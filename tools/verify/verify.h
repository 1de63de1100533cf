// Replays a recording on the clone of the generation that made it and compares
// every address of every request that pymalloc served, and every arena.
//
//   VerifyReport report = Verify("run.trace", {});
//   std::fputs(VerifyText(report).c_str(), stdout);
//
// Requests of the mem and obj domains at depth 0, state by state. A trace that
// names a parent is replayed from the parent's beginning to the fork.
//
// THREADS. One call, one thread; calls do not share anything. ERRORS.
// InputError for files that cannot be read; what makes a comparison impossible
// (pymalloc was not beneath the hooks, an unknown generation) is a report with
// VerifyStatus::kCannot and a reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/verify/report.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {

// An edit made while reading, for the self-test: a verifier that does not
// report it proves nothing.
struct Tampering {
  enum class Kind { kNone, kAddress, kDropped };
  Kind kind = Kind::kNone;
  std::uint64_t request = 0;  // of the file itself, not of a parent
  std::uint64_t address = 0;  // kAddress: what the request returns instead
};

struct VerifyOptions {
  std::string geometry;  // instead of the trace's; "" = the trace's
  Tampering tampering;
};

VerifyReport Verify(const std::string& path, const VerifyOptions& options);

// What the metadata of a trace says against a replay on the clone, in words;
// "" = nothing.
std::string ObstacleTo(const TraceReader& reader);

// Every process of the run that the trace belongs to, each report as
// VerifyJson() has it. What processes have in common, up to their forks, is
// replayed once: the verifier forks where the program did.
std::vector<std::string> VerifyRun(const std::string& path,
                                   const VerifyOptions& options);

}  // namespace arenalab
