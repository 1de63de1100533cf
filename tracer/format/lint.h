// Is this trace possible? Looks for what no program and no allocator does:
// above all a tracer's own mistakes, such as an event recorded after its
// address was up for reuse.
//
// FOREIGN. The C library serves a process before any recorder is in it, so a
// recording of it frees blocks that it never saw allocated. They are counted
// and shown, and legal. Python's own domains are hooked before their first
// request.
//
// FORKED CHILDREN are born with their parent's blocks, and free some. Which
// those are the parents' traces say, up to the fork; they are only remembered,
// not judged. Of the raw domain other threads of the parent may have had blocks
// that are not in that prefix: they are foreign, too. So is everything unknown
// in a child whose parent is not known (`lost.parent`).
//
// WINDOWS begin in the middle of their program (`meta window`) with its heap:
// the blocks of its arenas are known, all others from before the window are
// foreign where they are given up.
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
  kForeign,           // either, where it is legal: see above
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

// A trace that the judged one was forked from, read up to and with that fork.
struct LintAncestor {
  TraceReader* trace;
  std::uint64_t fork;
};

// From the first event on. `ancestors`: oldest first. Throws InputError as
// TraceReader::Next() does, and where an ancestor ends before its fork.
LintReport Lint(TraceReader& reader,
                const std::vector<LintAncestor>& ancestors = {});

}  // namespace arenalab
