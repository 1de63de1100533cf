// What was live at the moments that matter, by type and by call site, and what
// of it pins arenas: of a trace that was recorded with --types or --callsites.
//
//   live      objects of mem and obj, as asked for
//   pinner    a small live object in the nearer half of the arenas that have
//             any, sorted by how many live objects must go before one can be
//             released (as in tools/inspect/block_census.h)
//
// An object's type is known when it is given up, or from a look at what lived:
// so it is looked for ahead, in one pass. One thread; memory is proportional to
// the live objects and the names.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "allocators/pymalloc/geometry.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {

inline constexpr std::size_t kMostMoments = 3;

struct AttributedRow {
  std::string name;  // empty: not known
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pinners = 0;
  // Of a call site where whole stacks were recorded: the one with most bytes.
  std::string stack;
};

struct AttributedMoment {
  std::string name;           // peak, last_valley, end
  std::uint64_t request = 0;  // all requests below it are done
  AttributedRow all;          // its name is empty
  std::uint64_t pinned_arenas = 0;
  std::vector<AttributedRow> types;  // most bytes first
  std::vector<AttributedRow> sites;
  // Objects by Owner, where a look at what lived told it; the last counts those
  // whose type alone is known.
  std::array<std::uint64_t, kOwners> owners{};
};

// Of moments in ascending order of their requests; name and request are taken
// from them. REQUIRES: at most kMostMoments.
std::vector<AttributedMoment> Attribute(TraceReader& reader,
                                        const GeometryValues& geometry,
                                        std::vector<AttributedMoment> moments);

}  // namespace arenalab
