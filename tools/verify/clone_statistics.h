// The clone's statistics at one point of a recording, as
// sys._debugmallocstats() of the recorded interpreter would print them there.
//
// The clone is replayed with arenas at the recorded bases modulo the arena
// size; the nodes of the radix tree are counted over the recorded bases
// themselves, for there they depend on every bit of an address. So the text is
// equal to the interpreter's own, line by line, as long as the replay is
// (mismatches == 0).
//
// State 0 only: the main interpreter, and all before 3.12. The free lists of
// types, which the interpreter appends, are none of pymalloc's.
//
// THREADS. One. ERRORS. InputError: a file that cannot be read, a recording
// that cannot be replayed (as verify says), a point that it does not reach.
#pragma once

#include <cstdint>
#include <string>

#include "tools/verify/report.h"

namespace arenalab {

// Behind what the statistics are.
struct TracePoint {
  enum class Kind {
    kEnd,           // everything
    kRequest,       // request `number`, EVENT of the text form
    kStateRequest,  // request `number` of the mem and obj domains of state 0
    kMark,          // the first mark of that name
  };
  Kind kind = Kind::kEnd;
  std::uint64_t number = 0;
  std::string mark;
};

// `N`, `state:N` or a mark's name; "" is the end.
TracePoint ParseTracePoint(const std::string& text);

struct CloneStatistics {
  std::string text;
  std::string geometry;          // canonical name of the generation
  std::uint64_t mismatches = 0;  // of the replay, up to there
  bool complete = true;          // the trace has its end mark
};

CloneStatistics StatisticsAt(const std::string& path, const TracePoint& point);

}  // namespace arenalab
