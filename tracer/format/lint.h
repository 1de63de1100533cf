// Is this trace possible? Looks for what no program and no allocator does:
// above all a tracer's own mistakes, such as an event recorded after its
// address was up for reuse.
//
// FOREIGN. The C library serves a process before any recorder is in it, so a
// recording of it frees blocks that it never saw allocated. They are counted
// and shown, and legal. Python's own domains are hooked before their first
// request.
//
// Of the requests, those at depth 0 are judged (event.h, LAYERS AND DEPTH).
// One pass; memory is proportional to the live objects. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/format/trace_reader.h"

namespace arenalab {

enum class LintRule : std::uint8_t {
  kDoubleAllocation,  // an address handed out while it is live
  kUnknownFree,       // free of what is not live (raw, mem, obj)
  kUnknownRealloc,    // realloc of what is not live (raw, mem, obj)
  kForeign,           // either in libc: legal, see below
  kNestedFree,        // a block made while serving another request, given up
                      // by the program itself
  kNullAddress,       // a request served with address 0
  kMisaligned,        // an address that lacks its alignment
  kSize,              // more bytes than an address space has
  kAlignment,         // over 1 GiB
  kLag,               // a realloc that began before the trace
  kArena,             // acquired twice, released without being held, empty
  kForkOrder,         // forks are numbered from 0, in order
  kLost,              // the recording says that it lost events
};
inline constexpr int kLintRules = static_cast<int>(LintRule::kLost) + 1;

// "double-allocation", for output.
std::string_view LintRuleName(LintRule rule);

struct LintFinding {
  LintRule rule;
  std::uint64_t request;  // the request it is, or that stands next
  std::string what;       // "malloc(24) at 0x5000, which is live (obj)"
};

struct LintReport {
  std::uint64_t requests = 0;
  std::uint64_t judged = 0;     // at depth 0
  std::uint64_t explained = 0;  // addresses reused within a realloc: legal
  std::uint64_t live_at_end = 0;
  bool complete = false;
  std::array<std::uint64_t, kLintRules> counts{};
  std::vector<LintFinding> first;  // in order, at most kFindings a rule
  static constexpr std::size_t kFindings = 10;

  // Nothing found but what is foreign.
  bool legal() const;
};

// From the first event on. Throws InputError as TraceReader::Next() does.
LintReport Lint(TraceReader& reader);

}  // namespace arenalab
